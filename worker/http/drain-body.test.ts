import { Agent, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Cloud, startCloud } from '../../test/cloud.ts';

const MIB = 1024 * 1024;
/** An answer that comes before its request has ended is there long before this. */
const SOONER_MS = 300;
const agent = new Agent({ keepAlive: true, maxSockets: 1 });
let cloud: Cloud;

beforeAll(async () => {
  cloud = await startCloud();
});
afterAll(async () => {
  agent.destroy();
  await cloud?.stop();
});

/** Sends half of a body, waits, and sends the rest. @returns the status, and whether it came before the rest was sent */
async function sendInHalves(bytes: number, path: string, headers: Record<string, string>) {
  const { hostname, port } = new URL(cloud.url);
  const sent = request({
    ...{ agent, host: hostname, port, method: 'POST', path },
    headers: { 'content-type': 'application/json', ...headers },
  });
  let status: number | undefined;
  const answered = new Promise<void>((resolve, reject) => {
    sent.on('error', reject);
    sent.on('response', (response) => {
      status = response.statusCode;
      response.resume().on('end', resolve).on('error', reject);
    });
  });
  sent.write(Buffer.alloc(bytes / 2, 'a'));
  await Promise.race([answered, sleep(SOONER_MS)]);
  const sooner = status !== undefined;
  sent.end(Buffer.alloc(bytes / 2, 'a'));
  await answered;
  return { status, sooner };
}

it.each([
  ['which it does not read', '/nowhere', {}, 404],
  ['whose length is declared and too much', '/identity/v3/auth/tokens', { 'content-length': String(2 * MIB) }, 413],
  ['that turns out to be too long', '/identity/v3/auth/tokens', { 'transfer-encoding': 'chunked' }, 413],
])('reads a body to its end before it refuses one %s', async (_, path, headers, status) => {
  // One connection for all: none is cut.
  for (let time = 0; time < 2; time += 1) {
    expect(await sendInHalves(2 * MIB, path, headers)).toEqual({ status, sooner: false });
  }
});
