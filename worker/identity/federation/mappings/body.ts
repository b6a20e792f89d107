import { z } from 'zod';
import { DEFAULT_SCHEMA_VERSION, newerThan, rules, SCHEMA_VERSIONS } from '../mapping/rules.ts';

const RULES_CHARS_MAX = 64 * 1024;

/** `mapping` of a PUT or PATCH. The rules are kept as they were written. */
export const mappingBody = z
  .strictObject({
    rules: z
      .array(z.unknown())
      .refine(
        (given) => JSON.stringify(given).length <= RULES_CHARS_MAX,
        `it takes more than ${RULES_CHARS_MAX} characters`,
      ),
    schema_version: z.enum(SCHEMA_VERSIONS, `it is none of ${SCHEMA_VERSIONS.join(', ')}`).optional(),
  })
  .transform(({ rules: written, schema_version }, check) => {
    const schemaVersion = schema_version ?? DEFAULT_SCHEMA_VERSION;
    const { data, error } = rules.safeParse(written);
    for (const issue of error?.issues ?? [])
      check.addIssue({ code: 'custom', path: ['rules', ...issue.path], message: issue.message });
    const newer = data && newerThan(schemaVersion, data);
    if (newer) check.addIssue({ code: 'custom', path: ['rules'], message: newer });
    return { rules: written, schemaVersion };
  });
export type MappingInput = z.infer<typeof mappingBody>;
