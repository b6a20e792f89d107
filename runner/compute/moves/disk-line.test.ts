import { randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { Relay } from '../../../test/relay.ts';
import { DiskReceiver, sendDisk } from './disk-line.ts';

const folder = mkdtempSync(join(tmpdir(), 'aerostat-line-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const KEY = 'ab'.repeat(32);
const DISK_BYTES = 3 * 1024 * 1024 + 17;

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function line() {
  const from = join(folder, `from-${randomBytes(4).toString('hex')}`);
  const to = `${from}.to`;
  writeFileSync(from, randomBytes(DISK_BYTES));
  const port = await freePort();
  const receiver = await DiskReceiver.open({
    ...{ address: '127.0.0.1', port, key: KEY, path: to },
    finish: async () => {},
  });
  const send = (more: { key?: string; port?: number; signal?: AbortSignal } = {}) =>
    sendDisk({
      path: from,
      address: '127.0.0.1',
      port,
      key: KEY,
      signal: new AbortController().signal,
      progress: () => {},
      ...more,
    });
  return { from, to, port, receiver, send };
}

it('sends a disk, and an empty one, byte for byte', async () => {
  const { from, to, receiver, send } = await line();
  await send();
  expect(readFileSync(to).equals(readFileSync(from))).toBe(true);
  writeFileSync(from, '');
  await send();
  expect(readFileSync(to).length).toBe(0);
  receiver.close();
});

it('takes nothing from whoever has another key', async () => {
  const { to, receiver, send } = await line();
  await expect(send({ key: 'cd'.repeat(32) })).rejects.toThrow(/is not reached/);
  expect(existsSync(to)).toBe(false);
  receiver.close();
});

it('keeps nothing of a disk whose line was cut, and takes it whole afterwards', async () => {
  const { from, to, port, receiver, send } = await line();
  const relay = await Relay.open({ host: '127.0.0.1', port });
  relay.cutAfter(DISK_BYTES / 2);
  await expect(send({ port: Number(new URL(relay.url).port) })).rejects.toThrow(/The disk was not sent|is not reached/);
  expect(existsSync(to)).toBe(false);
  await send();
  expect(readFileSync(to).equals(readFileSync(from))).toBe(true);
  receiver.close();
  await relay.close();
});

it('ends at once when it is called off', async () => {
  const { to, receiver, send } = await line();
  const abort = new AbortController();
  const sending = send({ signal: abort.signal });
  abort.abort();
  await expect(sending).rejects.toThrow(/The disk was not sent/);
  expect(existsSync(to)).toBe(false);
  receiver.close();
});
