import { z } from 'zod';
import { moment } from './query.ts';

const IDS_MAX = 1_000;
/** Reasons stand in the audit. */
const REASON_LENGTH_MAX = 1_000;

/** A list, or words between commas, as clients write it. */
const listed = z
  .union([z.string().transform((text) => text.split(',')), z.array(z.string())])
  .pipe(z.array(z.string().min(1).max(128)).max(IDS_MAX));

export const resetBody = z.strictObject({
  all_scopes: z.boolean().default(false),
  scope_id: listed.optional(),
  scope_key: listed.optional(),
  fetcher: listed.optional(),
  collector: listed.optional(),
  /** What the time was called before. */
  state: moment.optional(),
  last_processed_timestamp: moment.optional(),
});
export type ResetBody = z.infer<typeof resetBody>;

export const reprocessBody = z.strictObject({
  scope_ids: listed,
  start_reprocess_time: moment,
  end_reprocess_time: moment,
  reason: z.string().trim().min(1, 'Say why: empty or blank reason text is not allowed.').max(REASON_LENGTH_MAX),
});
export type ReprocessBody = z.infer<typeof reprocessBody>;
