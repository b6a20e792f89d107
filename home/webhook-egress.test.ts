import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePort } from './free-port.ts';
import { until } from './until.ts';
import { workerdConfig } from './workerd-config.ts';

const WORKERD = join(import.meta.dirname, '../node_modules/@cloudflare/workerd-linux-64/bin/workerd');
const START_TIMEOUT_MS = 30_000;
const CLASSES = ['RunnerLink', 'RegionWatch', 'ImageImporter', 'ConsoleRelay', 'WebhookSender'];
/** Loopback, behind each way from IPv6 to IPv4. */
const TUNNELLED = ['[64:ff9b::7f00:1]', '[64:ff9b:1::7f00:1]', '[2002:7f00:1::1]', '[2001:0:7f00:1::1]'];
/** Asks the way that webhooks go for whatever it is told. */
const WORKER = `
import { DurableObject } from 'cloudflare:workers';
${CLASSES.map((name) => `export class ${name} extends DurableObject {}`).join('\n')}
export default {
  async fetch(request, env) {
    const target = new URL(request.url).searchParams.get('target');
    if (!target) return new Response('ready');
    try {
      const answer = await env.WEBHOOKS.fetch(target, { redirect: 'manual' });
      return new Response(String(answer.status));
    } catch (error) {
      return new Response(String(error));
    }
  },
};`;

let folder: string;
let receivers: { close(): void; port: number; count: () => number };
const running: ChildProcess[] = [];

/** A receiver on all of this machine's addresses. */
async function listen(): Promise<typeof receivers> {
  let count = 0;
  const server: Server = createServer((_request, response) => {
    response.writeHead(302, { location: 'http://169.254.169.254/' }).end();
  });
  server.on('connection', () => {
    count += 1;
  });
  await new Promise<void>((resolve) => server.listen(0, '::', resolve));
  return { port: (server.address() as AddressInfo).port, count: () => count, close: () => server.close() };
}

/** workerd as it runs at home: what its worker is answered at a URL, and how often it was not let go somewhere. */
async function workerd(name: string, webhookAllow: string[]) {
  const own = join(folder, name);
  for (const part of ['blobs', 'objects']) mkdirSync(join(own, part), { recursive: true });
  const port = await freePort();
  const paths = { blobs: join(own, 'blobs'), durableObjects: join(own, 'objects'), bundle: 'worker.js' };
  const config = workerdConfig({
    ...{ listen: `127.0.0.1:${port}`, database: '127.0.0.1:1', ...paths, bindings: {} },
    ...{ importAllow: [], ssoAllow: [], webhookAllow },
  });
  writeFileSync(join(own, 'worker.js'), WORKER);
  writeFileSync(join(own, 'workerd.capnp'), config);
  const child = spawn(WORKERD, ['serve', '--experimental', join(own, 'workerd.capnp')], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  running.push(child);
  let log = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    log += text;
  });
  const at = `http://127.0.0.1:${port}/`;
  await until('workerd', START_TIMEOUT_MS, async () => (await fetch(at)).ok);
  const ask = async (target: string) => (await fetch(`${at}?target=${encodeURIComponent(target)}`)).text();
  return { ask, refused: () => log.match(/connecting to \S+ is not allowed/g)?.length ?? 0 };
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'aerostat-egress-'));
  receivers = await listen();
});
afterAll(() => {
  for (const process of running) process.kill();
  receivers.close();
  rmSync(folder, { recursive: true, force: true });
});

describe('the way of webhooks at home', () => {
  it('leads to no address of this machine or its networks, by whatever name', async () => {
    const { ask, refused } = await workerd('closed', []);
    const hosts = [
      ...['127.0.0.1', 'localhost', hostname(), '[::1]', '[::ffff:127.0.0.1]', '0.0.0.0', '[::]'],
      ...['10.0.0.1', '172.16.0.1', '192.168.0.1', '169.254.169.254', '100.64.0.1', '224.0.0.1', '255.255.255.255'],
      ...['[fd00::1]', '[fe80::1]', '[ff02::1]', ...TUNNELLED],
    ];
    for (const [at, host] of hosts.entries()) {
      expect(await ask(`http://${host}:${receivers.port}/`)).toMatch(/Error/);
      await expect.poll(refused, { message: host }).toBe(at + 1);
    }
    expect(receivers.count()).toBe(0);
  });

  it('leads where the operator lets it, and follows no redirect', async () => {
    const { ask, refused } = await workerd('open', ['127.0.0.0/8']);
    expect(await ask(`http://127.0.0.1:${receivers.port}/`)).toBe('302');
    expect(await ask(`http://localhost:${receivers.port}/`)).toBe('302');
    expect(refused()).toBe(0);
    expect(receivers.count()).toBeGreaterThan(0);
    expect(await ask(`http://[::1]:${receivers.port}/`)).toMatch(/Error/);
    await expect.poll(refused).toBe(1);
  });

  it('leads into no tunnel, whatever the operator lets it', async () => {
    const { ask, refused } = await workerd('wide', ['::/0', '0.0.0.0/0']);
    expect(await ask(`http://[::1]:${receivers.port}/`)).toBe('302');
    for (const [at, host] of TUNNELLED.entries()) {
      expect(await ask(`http://${host}:${receivers.port}/`)).toMatch(/Error/);
      await expect.poll(refused, { message: host }).toBe(at + 1);
    }
  });
});
