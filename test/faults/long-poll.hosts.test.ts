import { createServer as createHttpServer, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { until } from '../../home/until.ts';
import type { RunnerProcess } from '../cloud.ts';
import {
  createServer,
  deleteServer,
  edgeAnswers,
  type FaultCloud,
  serverGone,
  serverReaches,
  settled,
  startFaultCloud,
} from './fault-cloud.ts';
import { databaseLeaks, machineLeaks } from './leaks.ts';

const WAIT_MS = 60_000;

/** A proxy as companies have them: it passes HTTP on and refuses every WebSocket. */
class PlainProxy {
  readonly #server: Server;
  refused = 0;
  polls = 0;

  private constructor(target: string) {
    const { hostname, port } = new URL(target);
    this.#server = createHttpServer((incoming, outgoing) => {
      if (incoming.url?.endsWith('/poll')) this.polls += 1;
      const { method, headers, url: path } = incoming;
      const passed = request({ hostname, port, method, headers, path }, (answer) => {
        outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(outgoing);
      });
      passed.on('error', () => outgoing.destroy());
      outgoing.on('close', () => passed.destroy());
      incoming.pipe(passed);
    });
    this.#server.on('upgrade', (_incoming, socket) => {
      this.refused += 1;
      socket.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n');
    });
  }

  static async open(target: string): Promise<PlainProxy> {
    const proxy = new PlainProxy(target);
    await new Promise<void>((resolve) => proxy.#server.listen(0, '127.0.0.1', resolve));
    return proxy;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  close(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}

let cloud: FaultCloud;
let proxy: PlainProxy;
let runner: RunnerProcess;

beforeAll(async () => {
  cloud = await startFaultCloud();
  proxy = await PlainProxy.open(cloud.url);
  runner = await cloud.runners({ hypervisor: 'simulated', name: 'behind', edgeUrl: proxy.url });
});
afterAll(async () => {
  proxy?.close();
  await cloud?.stop();
});

const epoch = async () => {
  const { runners } = await cloud.admin.call<{ runners: { epoch: number }[] }>('aerostat', 'GET', '/runners');
  return runners[0]?.epoch;
};

it('serves a machine whose way out takes no WebSockets: servers, questions, operations, in one session', async () => {
  const { admin } = cloud;
  const session = await epoch();
  const id = await createServer(cloud, 'polled');
  await serverReaches(admin, id, 'ACTIVE');
  const act = (body: object) => admin.call<{ output: string }>('compute', 'POST', `/servers/${id}/action`, body);
  const console = async () => (await act({ 'os-getConsoleOutput': {} })).output;
  expect(await console()).toContain('Booting');
  await act({ reboot: { type: 'SOFT' } });
  await until('the reboot in the console', WAIT_MS, async () => (await console()).includes('Restarting'));
  await serverReaches(admin, id, 'ACTIVE');
  await act({ 'os-stop': null });
  await serverReaches(admin, id, 'SHUTOFF');
  await deleteServer(admin, id);
  await serverGone(admin, id);
  expect(await epoch()).toBe(session);
  expect(proxy.refused).toBeGreaterThanOrEqual(3);
  expect(proxy.polls).toBeGreaterThan(5);
});

it('begins a new session by polls when the edge was killed, and loses nothing', async () => {
  const kept = await createServer(cloud, 'kept');
  await serverReaches(cloud.admin, kept, 'ACTIVE');
  const [session, pid] = [await epoch(), cloud.edge.workerd.pid() as number];
  process.kill(pid, 'SIGKILL');
  await edgeAnswers(cloud);
  const id = await createServer(cloud, 'after').catch(() => null);
  await until('another session', WAIT_MS, async () => ((await epoch()) ?? 0) > (session ?? 0));
  const later = await createServer(cloud, 'later');
  await serverReaches(cloud.admin, later, 'ACTIVE');
  for (const one of [kept, later, ...(id === null ? [] : [id])]) await deleteServer(cloud.admin, one);
  await settled(cloud);
  expect(await databaseLeaks(cloud)).toEqual({});
  expect(await machineLeaks(cloud, runner)).toEqual([]);
});
