import { z } from 'zod';
import type { Microversion } from '../http/microversion.ts';
import { name } from '../http/parameters.ts';

/** Characters of a public key or certificate; Nova's column holds 65,535. */
const PUBLIC_KEY_CHARS_MAX = 65_535;

const keypair = z.strictObject({
  name: name.and(z.string().regex(/^[_\- a-zA-Z0-9]+$/)),
  public_key: z.string().max(PUBLIC_KEY_CHARS_MAX).optional(),
});
const keypair2 = keypair.extend({ type: z.enum(['ssh', 'x509']).optional() });
const keypair10 = keypair2.extend({ user_id: z.string().max(255).optional() });
/** From 2.92 keys are no longer made here, and names may have more characters. */
const keypair92 = keypair10.extend({
  name: name.and(z.string().regex(/^[_\-@. a-zA-Z0-9]+$/)),
  public_key: z.string().max(PUBLIC_KEY_CHARS_MAX),
});
export type KeypairInput = z.infer<typeof keypair10>;

const bodies = [keypair, keypair2, keypair10, keypair92].map((one) => z.strictObject({ keypair: one }));

/** The body of a create, by version. */
export function keypairBody(version: Microversion): z.ZodType<{ keypair: KeypairInput }> {
  return bodies[version >= 92 ? 3 : version >= 10 ? 2 : version >= 2 ? 1 : 0] as z.ZodType<{ keypair: KeypairInput }>;
}
