import { z } from 'zod';
import type { QuotaLimits } from '../../../db/schema/quotas.ts';
import type { Microversion } from '../http/microversion.ts';
import { boolean, INTEGER_MAX, integer } from '../http/parameters.ts';
import { classResourcesOf, type Resource, resourcesOf } from './resources.ts';

const limit = integer(-1, INTEGER_MAX).optional();
const limitsShape = (resources: readonly Resource[]) =>
  Object.fromEntries(resources.map((resource) => [resource, limit]));

export type QuotaSetInput = QuotaLimits & { force?: boolean };

/** The body of an update, by version. The project may be named once more. */
export const quotaSetBody = (version: Microversion) =>
  z.strictObject({
    quota_set: z.strictObject({
      ...limitsShape(resourcesOf(version)),
      tenant_id: z.string().min(1).max(255).optional(),
      force: boolean.optional(),
    }),
  }) as unknown as z.ZodType<{ quota_set: QuotaSetInput & { tenant_id?: string } }>;

/** The body of an update of a class, by version. */
export const quotaClassBody = (version: Microversion) =>
  z.strictObject({ quota_class_set: z.strictObject(limitsShape(classResourcesOf(version))) }) as unknown as z.ZodType<{
    quota_class_set: QuotaLimits;
  }>;
