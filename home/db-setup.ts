import { randomBytes } from 'node:crypto';
import { and, eq } from 'drizzle-orm';
import { bootstrap } from '../db/bootstrap.ts';
import { openDatabase } from '../db/client.ts';
import { migrate } from '../db/migrate.ts';
import { users } from '../db/schema/identity.ts';
import { pause } from '../runner/host/wait.ts';
import { systemClock } from '../shared/clock.ts';
import { randomIds } from '../shared/ids.ts';
import { Refusal } from '../shared/refusal.ts';
import { hashPassword } from '../worker/identity/password.ts';

const HELP = `AEROSTAT_DB_TOKEN=... npm run db:setup -- URL [--new-password]: brings a database's schema up to date and makes the
administrator. URL: libsql://... of Turso, or http://... of a database process.
The password is printed when it is made: at the first time, and with --new-password.`;

/** `npm run db:setup`: migrates a database anywhere and makes its administrator. */
export async function dbSetup(args: string[]): Promise<number> {
  const url = args.find((arg) => !arg.startsWith('--'));
  if (!url || args.includes('--help')) {
    console.log(HELP);
    return url ? 0 : 2;
  }
  const token = process.env.AEROSTAT_DB_TOKEN;
  if (!token)
    throw new Refusal('AEROSTAT_DB_TOKEN is not set: the token that the database takes (turso db tokens create NAME).');
  const db = openDatabase({ url, token });
  await migrate(db, {
    clock: systemClock,
    ids: randomIds,
    sleep: pause,
  });
  const [admin] = await db
    .select({ id: users.id })
    .from(users)
    .where(and(eq(users.domainId, 'default'), eq(users.name, 'admin')));
  const made = { hash: hashPassword, clock: systemClock, ids: randomIds };
  if (admin && !args.includes('--new-password')) {
    await bootstrap(db, made);
    console.log('The schema is up to date. The administrator is there already; --new-password makes a new password.');
    return 0;
  }
  const adminPassword = randomBytes(18).toString('base64url');
  await bootstrap(db, { ...made, adminPassword });
  console.log(`The schema is up to date.\nOS_USERNAME=admin\nOS_PASSWORD=${adminPassword}`);
  return 0;
}
