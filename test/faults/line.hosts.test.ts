import { readFileSync } from 'node:fs';
import { sql } from 'drizzle-orm';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { until } from '../../home/until.ts';
import type { RunnerProcess } from '../cloud.ts';
import { Relay } from '../relay.ts';
import {
  createServer,
  deleteServer,
  type FaultCloud,
  listServers,
  serverGone,
  serverReaches,
  settled,
  showServer,
  startFaultCloud,
} from './fault-cloud.ts';
import { databaseLeaks, machineLeaks, simulatedMachines } from './leaks.ts';

/** From within the first header of a message to well within the reports of several servers. */
const CUTS_BYTES = [1, 9, 60, 150, 310, 520, 800, 1_300, 2_000];
/** Within the request that opens the socket, and within the hello. */
const HELLO_CUTS_BYTES = [5, 120, 400, 700];
const SERVERS_A_CUT = 3;
const CUT_TIMEOUT_MS = 40_000;

let cloud: FaultCloud;
let line: Relay;
let runner: RunnerProcess;

beforeAll(async () => {
  cloud = await startFaultCloud();
  line = await Relay.open({ host: '127.0.0.1', port: Number(new URL(cloud.url).port) });
  runner = await cloud.runners({ hypervisor: 'simulated', edgeUrl: line.url });
});
afterAll(async () => {
  await cloud?.stop();
  await line?.close();
});
/** A new process has no wait before its next try to connect, however often the last one was cut off. */
beforeEach(restartRunner);

async function restartRunner(): Promise<void> {
  await runner.kill();
  await runner.start();
}

async function checkNothingLeaked(context: string): Promise<void> {
  await settled(cloud);
  expect(await databaseLeaks(cloud), context).toEqual({});
  expect(await machineLeaks(cloud, runner), context).toEqual([]);
}

async function deleteAll(): Promise<void> {
  const servers = await listServers(cloud.admin);
  for (const { id } of servers) await deleteServer(cloud.admin, id);
  for (const { id } of servers) await serverGone(cloud.admin, id);
}

const connected = async () => {
  const [row] = await cloud.edge.db.all<{ connected: number }>(sql`SELECT connected FROM runners`);
  return row?.connected === 1;
};

it.each(['runner', 'edge'] as const)(
  'converges though the socket is cut in the middle of a message of the %s',
  async (speaker) => {
    let before: string[] = [];
    for (const [index, bytes] of CUTS_BYTES.entries()) {
      const context = `cut after ${bytes} bytes of the ${speaker}`;
      await until('the runner connected', CUT_TIMEOUT_MS, connected);
      const cuts = line.cuts;
      line.cutAfter(bytes, speaker);
      const ids: string[] = [];
      for (let at = 0; at < SERVERS_A_CUT; at += 1) {
        // One that comes after the cut finds no host: that is no part of this.
        if (line.cuts === cuts) ids.push(await createServer(cloud, `cut-${bytes}-${at}`));
      }
      for (const id of before) await deleteServer(cloud.admin, id);
      await until(context, CUT_TIMEOUT_MS, async () => line.cuts > cuts);
      if (index % 2 === 1) await restartRunner();
      await settled(cloud);
      for (const id of before) expect(await showServer(cloud.admin, id), context).toBeNull();
      before = [];
      for (const id of ids) {
        const server = await showServer(cloud.admin, id);
        if (server?.status === 'ERROR') expect(server.fault?.message, context).toMatch(/not connected/);
        else expect(server?.status, context).toBe('ACTIVE');
        before.push(id);
      }
      await checkNothingLeaked(context);
    }
    await deleteAll();
    await checkNothingLeaked('the end');
  },
);

it('connects though its first words are cut off', async () => {
  for (const bytes of HELLO_CUTS_BYTES) {
    const cuts = line.cuts;
    line.cutAfter(bytes);
    line.cut();
    await until(`cut after ${bytes} bytes of a new connection`, CUT_TIMEOUT_MS, async () => line.cuts > cuts);
    await restartRunner();
  }
  const id = await createServer(cloud, 'after-hellos');
  await serverReaches(cloud.admin, id, 'ACTIVE');
  await deleteAll();
  await checkNothingLeaked('the end');
});

it('goes on while the edge is away, takes what clients want meanwhile, and converges once it is back', async () => {
  const [doomed = '', stopping = '', keeping = ''] = await Promise.all(
    ['doomed', 'stopping', 'keeping'].map((name) => createServer(cloud, name)),
  );
  for (const id of [doomed, stopping, keeping]) await serverReaches(cloud.admin, id, 'ACTIVE');
  line.away();
  await until('the runner disconnected', CUT_TIMEOUT_MS, async () => !(await connected()));
  await deleteServer(cloud.admin, doomed);
  await cloud.admin.call('compute', 'POST', `/servers/${stopping}/action`, { 'os-stop': null });
  const homeless = await createServer(cloud, 'homeless');
  expect((await serverReaches(cloud.admin, homeless, 'ERROR')).fault?.message).toMatch(
    /^No valid host was found\. .*not connected/,
  );
  // Gone for longer than its lease, as after minutes.
  await cloud.edge.db.run(sql`UPDATE runners SET lease_expires_at_ms = 1`);
  const { runners } = await cloud.admin.call<{ runners: { status: string }[] }>('aerostat', 'GET', '/runners');
  expect(runners.map(({ status }) => status)).toEqual(['down']);
  expect((await showServer(cloud.admin, keeping))?.status).toBe('ACTIVE');
  expect(guestsOnMachine()).toEqual(new Map([doomed, stopping, keeping].map((id) => [id, 'on'])));
  // Killed and started with nobody to ask: what is in the ledger stays.
  await runner.kill();
  const saidBefore = readFileSync(runner.logFile, 'utf8').length;
  await runner.start({ wait: false });
  await until('word of a runner that cannot connect', CUT_TIMEOUT_MS, async () =>
    readFileSync(runner.logFile, 'utf8').slice(saidBefore).includes('"event":"link-down"'),
  );
  expect(guestsOnMachine()).toEqual(new Map([doomed, stopping, keeping].map((id) => [id, 'on'])));
  line.back();
  await serverGone(cloud.admin, doomed);
  await serverReaches(cloud.admin, stopping, 'SHUTOFF');
  await settled(cloud);
  expect(guestsOnMachine()).toEqual(
    new Map([
      [stopping, 'off'],
      [keeping, 'on'],
    ]),
  );
  await deleteAll();
  await checkNothingLeaked('the end');
});

it('takes servers onto a line that swallows everything, and makes them once it is back', async () => {
  const old = await createServer(cloud, 'old');
  await serverReaches(cloud.admin, old, 'ACTIVE');
  line.stall();
  const young = await createServer(cloud, 'young');
  await deleteServer(cloud.admin, old);
  const brief = await createServer(cloud, 'brief');
  await deleteServer(cloud.admin, brief);
  expect((await showServer(cloud.admin, young))?.status).toBe('BUILD');
  line.back();
  await serverReaches(cloud.admin, young, 'ACTIVE');
  for (const id of [old, brief]) await serverGone(cloud.admin, id);
  await checkNothingLeaked('after the stall');
  await deleteAll();
});

it('counts a report once, though its runner dies before it hears that it was taken', async () => {
  for (let round = 0; round < 4; round += 1) {
    // Its report is stored, and it never hears so.
    line.deafAfter(`reported-${round}`);
    const id = await createServer(cloud, `reported-${round}`);
    await serverReaches(cloud.admin, id, 'ACTIVE');
    await runner.kill();
    line.back();
    await runner.start();
    await checkNothingLeaked(`create, round ${round}`);
    line.deafAfter('"deleted":true');
    await deleteServer(cloud.admin, id);
    await serverGone(cloud.admin, id);
    await runner.kill();
    line.back();
    await runner.start();
    await checkNothingLeaked(`delete, round ${round}`);
  }
  await deleteAll();
  await checkNothingLeaked('the end');
});

const guestsOnMachine = () =>
  new Map(
    [...simulatedMachines(runner).values()]
      .flat()
      .filter(({ kind }) => kind === 'server')
      .map(({ id, power }) => [id, power]),
  );
