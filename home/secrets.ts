import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { z } from 'zod';
import { writeAtomically } from '../runner/state/write-atomically.ts';

const secrets = z.object({ tokenKey: z.string(), databaseToken: z.string(), adminPassword: z.string() });
export type Secrets = z.infer<typeof secrets>;

/** The secrets of a state folder, made at the first start and kept. */
export function loadSecrets(file: string): Secrets {
  if (existsSync(file)) return secrets.parse(JSON.parse(readFileSync(file, 'utf8')));
  const made: Secrets = {
    tokenKey: randomBytes(32).toString('base64'),
    databaseToken: randomBytes(32).toString('base64url'),
    adminPassword: randomBytes(18).toString('base64url'),
  };
  writeAtomically(file, `${JSON.stringify(made, null, 2)}\n`);
  return made;
}
