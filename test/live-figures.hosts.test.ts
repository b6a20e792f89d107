import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { LIVE_STREAMS_PROJECT_MAX } from '../worker/metering/limits.ts';
import { type Cloud, startCloud } from './cloud.ts';
import { shellBlocks } from './readme-blocks.ts';
import { SocketRunner } from './socket-runner.ts';

const THIS = 'test/live-figures.hosts.test.ts';
const [FOLLOW, GO_ON] = shellBlocks(join(import.meta.dirname, '../docs/metering.md'))
  .filter(({ marker }) => marker === THIS)
  .map(({ code }) => code);

let cloud: Cloud;
let machine: SocketRunner;
let server: string;
const running: ChildProcess[] = [];

beforeAll(async () => {
  cloud = await startCloud();
  machine = await SocketRunner.join(cloud, 'live-1');
  server = await newServer();
});
afterAll(async () => {
  for (const child of running) child.kill('SIGKILL');
  await cloud?.stop();
});

async function newServer(): Promise<string> {
  const { call } = cloud.admin;
  const flavor = { flavor: { name: 'tiny', ram: 64, vcpus: 1, disk: 1 } };
  const made = await call<{ flavor: { id: string } }>('compute', 'POST', '/flavors', flavor);
  const image = { name: 'i', disk_format: 'raw', container_format: 'bare' };
  const { id: imageRef } = await call<{ id: string }>('image', 'POST', '/v2/images', image);
  const data = new Blob([new Uint8Array(512)]).stream();
  await call('image', 'PUT', `/v2/images/${imageRef}/file`, data, { 'content-type': 'application/octet-stream' });
  const body = { server: { name: 'web', imageRef, flavorRef: made.flavor.id, networks: 'none' } };
  const headers = { 'openstack-api-version': 'compute 2.37' };
  return (await call<{ server: { id: string } }>('compute', 'POST', '/servers', body, headers)).server.id;
}

let told = 0;
/** The machine reads the guest's counter. @returns when it has been kept */
function sample(bytes: number): Promise<number> {
  told += 1;
  const one = { type: 'server' as const, id: server, epoch: 'e', values: { 'disk.read.bytes': bytes } };
  return machine.metered('s', [{ seq: told, at_ms: Date.now(), boot_id: 'b', samples: [one] }]);
}

/** A command of the document in a shell. */
function start(code = '', more: Record<string, string> = {}) {
  const env = { ...process.env, OS_AUTH_URL: `${cloud.url}/identity/v3`, TOKEN: cloud.admin.token, SERVER: server };
  const child = spawn('sh', ['-c', `exec ${code}`], { env: { ...env, ...more }, stdio: ['ignore', 'pipe', 'inherit'] });
  running.push(child);
  let said = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  const all = (field: string) =>
    [...said.matchAll(new RegExp(`^${field}: (.*)$`, 'gm'))].map((match) => match[1] ?? '');
  return {
    stop: () => child.kill('SIGKILL'),
    begun: () => expect.poll(() => said).toContain('retry: 3000'),
    values: () => all('data').map((text) => (JSON.parse(text).points as { value: number }[])[0]?.value),
    last: () => all('id').at(-1) ?? '',
  };
}

it('are so many of one project at once, and those that were left are not counted', async () => {
  const url = `${cloud.url}/aerostat/v1/metering/live?resource_id=${server}`;
  const open = async () => {
    const end = new AbortController();
    const headers = { 'x-auth-token': cloud.admin.token };
    const { status, body } = await fetch(url, { headers, signal: end.signal });
    if (status !== 200) await body?.cancel();
    return { status, end };
  };
  const all: Awaited<ReturnType<typeof open>>[] = [];
  for (let count = 0; count <= LIVE_STREAMS_PROJECT_MAX; count += 1) all.push(await open());
  expect(all.map(({ status }) => status)).toEqual([...Array(LIVE_STREAMS_PROJECT_MAX).fill(200), 429]);
  for (const { end } of all) end.abort();
  for (let count = 0; count < 3; count += 1) {
    const opened = async () => {
      const { status, end } = await open();
      end.abort();
      return status;
    };
    await expect.poll(opened).toBe(200);
  }
});

it('are followed with the commands of the document, and gone on with where they were left', async () => {
  const follow = start(FOLLOW);
  await follow.begun();
  await sample(1_000);
  await expect.poll(follow.values).toEqual([1_000]);
  await sample(5_000);
  await expect.poll(follow.values).toEqual([1_000, 5_000]);
  follow.stop();
  await sample(6_000);
  // Whatever becomes of the edge meanwhile.
  const before = cloud.edge.workerd.pid();
  // Zero would be this test and all around it.
  if (!before) throw new Error('there is no process to kill');
  process.kill(before, 'SIGKILL');
  await expect.poll(() => cloud.edge.workerd.pid()).not.toBe(before);
  await expect
    .poll(() =>
      fetch(cloud.url).then(
        (answer) => answer.ok || answer.status === 300,
        () => false,
      ),
    )
    .toBe(true);
  machine = await SocketRunner.join(cloud, 'live-2');
  const goOn = start(GO_ON, { LAST: follow.last() });
  await expect.poll(goOn.values).toEqual([6_000]);
  goOn.stop();
});
