import { z } from 'zod';
import { boolean, diskConfig, fqdn } from '../http/parameters.ts';

/* Bodies of the actions that move a server, as Nova takes them at each version. */

const only = <Shape extends z.ZodRawShape>(shape: Shape) => z.strictObject(shape);

export const resizeBody = only({
  resize: z.strictObject({
    flavorRef: z.union([z.string().min(1), z.int().min(0).transform(String)]),
    'OS-DCF:diskConfig': diskConfig.optional(),
  }),
});

const migrateTo = only({ migrate: z.strictObject({ host: fqdn.nullable().optional() }).nullable() });
/** Before 2.56 whatever stands there is let pass. @returns null for any host */
export const migrateBody = (version: number) =>
  version >= 56 ? migrateTo : z.object({ migrate: z.unknown().transform(() => null) });

/** A host that is not named cannot be forced. */
const hasWhatItForces = (of: { force?: boolean | undefined; host?: string | null | undefined }) =>
  !of.force || !!of.host;
const NOTHING_TO_FORCE = { error: "Can't force to a non-provided destination", params: { whole: true } };

const host = fqdn.nullable();
const live = only({
  'os-migrateLive': z.strictObject({ host, block_migration: boolean, disk_over_commit: boolean }),
});
const live25 = only({
  'os-migrateLive': z.strictObject({ host, block_migration: z.union([z.literal('auto'), boolean]) }),
});
const live30 = only({
  'os-migrateLive': z
    .strictObject({
      host,
      block_migration: z.union([z.literal('auto'), boolean]),
      force: boolean.optional(),
    })
    .refine(hasWhatItForces, NOTHING_TO_FORCE),
});
export const liveBody = (version: number) => (version >= 30 && version < 68 ? live30 : version >= 25 ? live25 : live);

const evacuate = only({
  evacuate: z
    .strictObject({
      host: fqdn.optional(),
      onSharedStorage: boolean,
      adminPass: z.string().optional(),
    })
    .refine((of) => !of.onSharedStorage || of.adminPass === undefined, {
      error: "admin password can't be changed on existing disk",
      params: { whole: true },
    }),
});
const evacuate14 = only({ evacuate: z.strictObject({ host: fqdn.optional(), adminPass: z.string().optional() }) });
const evacuate29 = only({
  evacuate: z
    .strictObject({ host: fqdn.optional(), adminPass: z.string().optional(), force: boolean.optional() })
    .refine(hasWhatItForces, NOTHING_TO_FORCE),
});
export const evacuateBody = (version: number) =>
  version >= 29 && version < 68 ? evacuate29 : version >= 14 ? evacuate14 : evacuate;
