import { createServer } from 'node:net';
import { MOVE_PORT_MAX, MOVE_PORT_MIN } from '../../../shared/limits.ts';

/** Whether nobody listens on a port of the address. */
function isFree(address: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, address, () => server.close(() => resolve(true)));
  });
}

/** Ports of the range on which nobody listens, from a random one on. @throws when there are too few */
export async function freePorts(address: string, count: number, random: () => number): Promise<number[]> {
  const total = MOVE_PORT_MAX - MOVE_PORT_MIN + 1;
  const first = Math.floor(random() * total);
  const found: number[] = [];
  for (let at = 0; at < total && found.length < count; at += 1) {
    const port = MOVE_PORT_MIN + ((first + at) % total);
    if (await isFree(address, port)) found.push(port);
  }
  if (found.length < count)
    throw new Error(`fewer than ${count} of the ports ${MOVE_PORT_MIN} to ${MOVE_PORT_MAX} are free`);
  return found;
}
