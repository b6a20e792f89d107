import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { Observation } from '../../shared/protocol/messages.ts';
import { id } from '../testing/specs.ts';
import { temporaryFolder } from '../testing/temporary-folder.ts';
import { VirtualTime } from '../testing/virtual-time.ts';
import type { ComputeContext } from './context.ts';
import { GuestPasswords, readPassword, STORED_WAIT_MS } from './guest-password.ts';
import { guestPaths } from './guest-paths.ts';
import { Guests } from './guests.ts';

const [server, other] = [id(1), id(2)];

/** Passwords of two guests; a change of one resolves `changed` with what is reported of it, read in the guest's turn. */
function start() {
  const stateDir = temporaryFolder();
  for (const one of [server, other]) mkdirSync(join(guestPaths(stateDir, one).folder, 'run'), { recursive: true });
  const guests = new Guests({ stateDir } as ComputeContext);
  const time = new VirtualTime();
  const passwords = new GuestPasswords({ stateDir, guests, time });
  const changed = new Promise<Observation>((resolve) => {
    guests.onChange = (id) => {
      const report = guests.alone(id, () => readPassword(stateDir, id));
      void report.then((password) =>
        resolve({ kind: 'server', id, generation: 1, state: 'running', detail: { password } }),
      );
    };
  });
  return { stateDir, time, passwords, changed };
}

/** Whether a promise has resolved once everything that needs no time has happened. */
async function isOver(promise: Promise<unknown>, time: VirtualTime): Promise<boolean> {
  let over = false;
  void promise.then(() => {
    over = true;
  });
  await time.settle();
  return over;
}

it('answers a guest when the edge has stored what it told, and the report can be made meanwhile', async () => {
  const { time, passwords, changed } = start();
  const told = passwords.tell(server, 'sealed');
  const report = await changed;
  passwords.acknowledged({ ...report, id: other });
  passwords.acknowledged({ ...report, detail: { password: { id: 'older', text: 'older' } } });
  passwords.acknowledged({ ...report, detail: {} });
  expect(await isOver(told, time)).toBe(false);
  passwords.acknowledged(report);
  expect(await told).toBe(true);
  expect(time.pending).toEqual([]);
});

it('answers after a while where the edge is away, and keeps what was told', async () => {
  const { stateDir, time, passwords, changed } = start();
  const told = passwords.tell(server, 'sealed');
  await changed;
  await time.pass(STORED_WAIT_MS - 1);
  expect(await isOver(told, time)).toBe(false);
  await time.pass(1);
  expect(await told).toBe(true);
  expect(await readPassword(stateDir, server)).toMatchObject({ text: 'sealed' });
});

it('refuses at once what a guest tells when it has told already', async () => {
  const { time, passwords, changed } = start();
  const told = passwords.tell(server, 'sealed');
  passwords.acknowledged(await changed);
  await told;
  expect(await passwords.tell(server, 'again')).toBe(false);
  expect(time.pending).toEqual([]);
  expect(await passwords.read(server)).toBe('sealed');
});
