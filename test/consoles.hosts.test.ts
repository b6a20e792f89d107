import { once } from 'node:events';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { createServer, deleteServer, serverReaches } from './faults/fault-cloud.ts';
import { inGuest, type QemuCloud, startQemuCloud } from './faults/qemu-cloud.ts';

const TIMEOUT_MS = 120_000;

let cloud: QemuCloud;
let id: string;

beforeAll(async () => {
  cloud = await startQemuCloud('10.93.0.0/24');
  id = await createServer(cloud, 'seen');
  await serverReaches(cloud.admin, id, 'ACTIVE', TIMEOUT_MS);
  await inGuest(cloud.runner, id, 'true');
}, TIMEOUT_MS);
afterAll(async () => cloud?.close());

/** The console's own WebSocket, as the API tells it to clients; a page's address names it in `path`. */
async function addressOf(protocol: 'vnc' | 'serial', type: string): Promise<string> {
  const { remote_console } = await cloud.admin.call<{ remote_console: { url: string } }>(
    'compute',
    'POST',
    `/servers/${id}/remote-consoles`,
    { remote_console: { protocol, type } },
    { 'openstack-api-version': 'compute 2.6' },
  );
  const path = new URL(remote_console.url).searchParams.get('path');
  return path === null ? remote_console.url : `${cloud.url.replace(/^http/, 'ws')}/${path}`;
}

/** A viewer that keeps all it was told. */
function view(address: string) {
  const socket = new WebSocket(address, 'binary');
  let said = Buffer.alloc(0);
  socket.on('message', (data: Buffer) => {
    said = Buffer.concat([said, data]);
  });
  const untilSaid = (fits: (said: Buffer) => boolean) =>
    new Promise<Buffer>((resolve, reject) => {
      const look = () => fits(said) && resolve(said);
      socket.on('message', look).once('close', () => reject(new Error(`closed after: ${said}`)));
      look();
    });
  // An upgrade that is refused is an end like others.
  socket.on('error', () => {});
  return { socket, until: untilSaid, closed: new Promise((resolve) => socket.once('close', resolve)) };
}

it('opens a guest’s serial line, both ways, and again for the next who looks', async () => {
  for (const sum of ['40 + 2', '20 + 22']) {
    const { socket, until, closed } = view(await addressOf('serial', 'serial'));
    await once(socket, 'open');
    socket.send(`\necho is $((${sum}))\n`);
    await until((said) => said.includes('is 42'));
    socket.close();
    await closed;
  }
});

it('opens a guest’s screen, by the protocol of VNC', async () => {
  const { socket, until, closed } = view(await addressOf('vnc', 'novnc'));
  const version = await until((said) => said.length >= 12);
  expect(version.toString()).toBe('RFB 003.008\n');
  socket.send(version);
  // One kind of security, none: whoever has the token may look.
  expect([...(await until((said) => said.length >= 14)).subarray(12)]).toEqual([1, 1]);
  socket.close();
  await closed;
});

it('hangs up on who has no token, and on everyone once the guest is gone', async () => {
  const address = await addressOf('serial', 'serial');
  const stranger = view(address.replace(/.$/, (last) => (last === '0' ? '1' : '0')));
  await expect(stranger.until((said) => said.length > 0)).rejects.toThrow('closed after: ');
  const { socket, closed } = view(address);
  await once(socket, 'open');
  await deleteServer(cloud.admin, id);
  await closed;
  await view(address).closed;
});
