import type { Namespace } from './namespaces.ts';

/* Datagrams at a steady pace, and how many bytes of them come. */

const PORT = 9_000;
const PAYLOAD_BYTES = 1_400;
const TICK_MS = 10;
const PER_TICK = 7;
export const FLOOD_S = 2;
const TICKS = (FLOOD_S * 1_000) / TICK_MS;

/** The bytes of IP of a flood: four times what a rate of 2,000 kbit/s lets pass, but for the burst. */
export const FLOOD_BYTES = TICKS * PER_TICK * (PAYLOAD_BYTES + 28);

/** Sends a flood to each of these addresses; takes at least FLOOD_S. */
export async function flood(from: Namespace, ...to: string[]): Promise<void> {
  await from.node(`
    const { createSocket } = require('node:dgram');
    const data = Buffer.alloc(${PAYLOAD_BYTES});
    const sockets = ${JSON.stringify(to)}.map((to) => {
      const socket = createSocket(to.includes(':') ? 'udp6' : 'udp4');
      // What is not taken at once is lost, as on any cable.
      return { send: () => socket.send(data, ${PORT}, to, () => {}), close: () => socket.close() };
    });
    let ticks = 0;
    const timer = setInterval(() => {
      for (const { send } of sockets) for (let one = 0; one < ${PER_TICK}; one++) send();
      if (++ticks < ${TICKS}) return;
      clearInterval(timer);
      for (const { close } of sockets) close();
    }, ${TICK_MS});`);
}

/** Counts bytes of floods that reach a namespace, by their sender; they end there. @returns what has come since it was asked */
export async function countFloods(at: Namespace, ...senders: string[]): Promise<() => Promise<number[]>> {
  const rules = senders.map((sender) => `ip saddr ${sender} udp dport ${PORT} counter drop`);
  await at.sh(`nft -f - <<'SCRIPT'
    table inet floods
    delete table inet floods
    table inet floods { chain in { type filter hook input priority -400; ${rules.join('; ')}; }; }\nSCRIPT`);
  let before = senders.map(() => 0);
  return async () => {
    const text = await at.sh('nft list table inet floods');
    const now = [...text.matchAll(/bytes (\d+)/g)].map(([, bytes]) => Number(bytes));
    const since = now.map((bytes, index) => bytes - (before[index] ?? 0));
    before = now;
    return since;
  };
}
