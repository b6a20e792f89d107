import { expect } from 'vitest';
import type { Namespace } from './namespaces.ts';

/* Datagrams at a steady pace, and how many bytes of them come. */

/** Of both ends, so that a flood back belongs to the same connection. */
export const FLOOD_PORT = 9_000;
const PAYLOAD_BYTES = 1_400;
const HEADERS_BYTES = 28;
const TICK_MS = 10;
const PER_TICK = 7;
const FLOOD_S = 1;
const TICKS = (FLOOD_S * 1_000) / TICK_MS;

/** Of IP. It is four times what KBPS lets pass, but for the bucket. */
const FLOOD_BYTES = TICKS * PER_TICK * (PAYLOAD_BYTES + HEADERS_BYTES);
/** What limited floods are limited to. */
export const KBPS = 2_000;

/** A flood, and under which address it is seen where it comes. */
export interface Flood {
  from: Namespace;
  to: string;
  seenAs: string;
}

/** Lets floods come to a namespace at once, where they end; answers the bytes of each that came, and how long all took. */
export async function measure(at: Namespace, ...floods: Flood[]): Promise<{ bytes: number[]; s: number }> {
  const count = await countDatagrams(at, ...floods.map(({ seenAs }) => seenAs));
  const times = await Promise.all(floods.map(({ from, to }) => send(from, to)));
  const s = (Math.max(...times.map(({ end }) => end)) - Math.min(...times.map(({ begin }) => begin))) / 1_000;
  return { bytes: await count(), s };
}

/** Takes the datagrams of some senders as they come to a namespace; answers the bytes of each. */
export async function countDatagrams(at: Namespace, ...senders: string[]): Promise<() => Promise<number[]>> {
  const rules = senders.map((sender) => `ip saddr ${sender} udp dport ${FLOOD_PORT} counter drop`);
  await at.sh(`nft -f - <<'SCRIPT'
    table inet floods
    delete table inet floods
    table inet floods { chain in { type filter hook input priority -400; ${rules.join('; ')}; }; }\nSCRIPT`);
  return async () => {
    const text = await at.sh('nft list table inet floods');
    return [...text.matchAll(/bytes (\d+)/g)].map(([, bytes]) => Number(bytes));
  };
}

/** Takes at least FLOOD_S. */
async function send(from: Namespace, to: string): Promise<{ begin: number; end: number }> {
  const said = await from.node(`
    const socket = require('node:dgram').createSocket('udp4');
    const data = Buffer.alloc(${PAYLOAD_BYTES});
    socket.bind(${FLOOD_PORT}, () => {
      const begin = Date.now();
      let ticks = 0;
      const timer = setInterval(() => {
        // What is not taken at once is lost, as on any cable.
        for (let one = 0; one < ${PER_TICK}; one++) socket.send(data, ${FLOOD_PORT}, '${to}', () => {});
        if (++ticks < ${TICKS}) return;
        clearInterval(timer);
        socket.close(() => console.log(JSON.stringify({ begin, end: Date.now() })));
      }, ${TICK_MS});
    });`);
  return JSON.parse(said);
}

/** That a flood came as a bucket lets it pass that may have been full before. @param s - that it took */
export function expectLimited(bytes: number | undefined, s: number, kbps = KBPS): void {
  const bytesPerSecond = (kbps * 1_000) / 8;
  const bucket = Math.max(bytesPerSecond, 65_536);
  expect(bytes).toBeLessThanOrEqual(bytesPerSecond * s + bucket);
  expect(bytes).toBeGreaterThanOrEqual(0.6 * bytesPerSecond * FLOOD_S);
}

/** That nothing slowed a flood. */
export function expectFree(bytes: number | undefined): void {
  expect(bytes).toBeGreaterThan(0.95 * FLOOD_BYTES);
}
