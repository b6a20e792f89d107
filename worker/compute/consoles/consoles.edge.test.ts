import { eq } from 'drizzle-orm';
import { expect, it } from 'vitest';
import { consoleTokens } from '../../../db/schema/compute.ts';
import { ComputeCloud } from '../../../test/compute-cloud.ts';
import { call } from '../../../test/edge-client.ts';

const open = async () => {
  const cloud = await ComputeCloud.open();
  await cloud.addRunner({ name: 'host-1' });
  return { cloud, id: await cloud.createActive() };
};
const consoleOf = async (cloud: ComputeCloud, id: string, protocol: string, type: string) =>
  (
    await cloud.answer<{ remote_console: { url: string } }>('POST', `/servers/${id}/remote-consoles`, {
      body: { remote_console: { protocol, type } },
      version: '2.6',
    })
  ).remote_console;
const tokenOf = (url: string) => /token=([0-9a-f]+)/.exec(decodeURIComponent(url))?.[1] ?? '';
const checked = (cloud: ComputeCloud, token: string, version = '2.31') =>
  cloud.call('GET', `/os-console-auth-tokens/${token}`, { as: cloud.admin, version });

it.each([
  ['vnc', 'novnc', 'https?'],
  ['serial', 'serial', 'wss?'],
])('opens a %s console by a token that is told once and kept as a hash', async (protocol, type, scheme) => {
  const { cloud, id } = await open();
  const { url } = await consoleOf(cloud, id, protocol, type);
  const socket = type === 'novnc' ? 'novnc\\?path=.*aerostat/v1/consoles/vnc' : type;
  expect(decodeURIComponent(url)).toMatch(
    new RegExp(`^${scheme}://.*/aerostat/v1/consoles/${socket}\\?token=[0-9a-f]{64}$`),
  );
  const rows = await cloud.ctx.db.select().from(consoleTokens).where(eq(consoleTokens.serverId, id));
  expect(JSON.stringify(rows)).not.toContain(tokenOf(url));
  const found = await checked(cloud, tokenOf(url));
  expect(await found.json()).toEqual({
    console: { instance_uuid: id, host: 'host-1', port: 0, internal_access_path: null },
  });
});

it.each(['vnc', 'serial'])('tells whoever comes to its %s socket with plain HTTP what it is', async (path) => {
  const answer = await call('GET', `/aerostat/v1/consoles/${path}`);
  expect([answer.status, (await answer.json()) as object]).toMatchObject([426, { error: { code: 426 } }]);
});

it('opens nothing after its time, after its server, or by a guess', async () => {
  const { cloud, id } = await open();
  const { url } = await consoleOf(cloud, id, 'serial', 'serial');
  expect((await checked(cloud, 'f'.repeat(64))).status).toBe(404);
  expect((await checked(cloud, tokenOf(url), '2.30')).status).toBe(400);
  await cloud.ctx.db
    .update(consoleTokens)
    .set({ expiresAtMs: Date.now() - 1 })
    .where(eq(consoleTokens.serverId, id));
  expect((await checked(cloud, tokenOf(url))).status).toBe(404);
  const { url: next } = await consoleOf(cloud, id, 'serial', 'serial');
  await cloud.answer('DELETE', `/servers/${id}`, { status: 204 });
  await cloud.observe(id, { state: 'absent' });
  expect((await checked(cloud, tokenOf(next))).status).toBe(404);
});

it('has the actions of old versions, and not of new ones', async () => {
  const { cloud, id } = await open();
  const act = (body: unknown, version: string) => cloud.call('POST', `/servers/${id}/action`, { body, version });
  const old = await act({ 'os-getVNCConsole': { type: 'novnc' } }, '2.5');
  expect(await old.json()).toMatchObject({ console: { type: 'novnc', url: expect.stringContaining('token%3D') } });
  expect((await act({ 'os-getSerialConsole': { type: 'serial' } }, '2.1')).status).toBe(200);
  expect((await act({ 'os-getSPICEConsole': { type: 'spice-html5' } }, '2.1')).status).toBe(400);
  expect((await act({ 'os-getVNCConsole': { type: 'xvpvnc' } }, '2.1')).status).toBe(400);
  expect((await act({ 'os-getVNCConsole': {} }, '2.1')).status).toBe(400);
  expect((await act({ 'os-getVNCConsole': { type: 'novnc' } }, '2.6')).status).toBe(404);
  const body = { remote_console: { protocol: 'serial', type: 'serial' } };
  expect((await cloud.call('POST', `/servers/${id}/remote-consoles`, { body, version: '2.5' })).status).toBe(404);
  const mixed = { remote_console: { protocol: 'serial', type: 'novnc' } };
  expect((await cloud.call('POST', `/servers/${id}/remote-consoles`, { body: mixed, version: '2.8' })).status).toBe(
    400,
  );
});

it('has none for a server that is on no host yet, or being deleted', async () => {
  const { cloud, id } = await open();
  const building = await cloud.create();
  const body = { remote_console: { protocol: 'serial', type: 'serial' } };
  const ask = async (server: string) =>
    (await cloud.call('POST', `/servers/${server}/remote-consoles`, { body, version: '2.6' })).status;
  expect(await ask(building)).toBe(409);
  await cloud.answer('DELETE', `/servers/${id}`, { status: 204 });
  expect(await ask(id)).toBe(409);
});
