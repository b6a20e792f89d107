import { eventually, type Namespace } from '../machine/namespaces.ts';

const PORT = 9_999;
const EVERY_MS = 2;
/** What was under way has arrived by then, and a flood that goes on is heard. */
const QUIET_MS = 500;

/** Datagrams without end from one namespace to another, which counts those that arrive. */
export class Flood {
  #heard = 0;

  /** Sends to an address until the namespaces are closed. */
  static async between(from: Namespace, to: Namespace, address: string): Promise<Flood> {
    const flood = new Flood();
    const socket = `const s = require('node:dgram').createSocket('udp4');`;
    const ear = to.start(
      process.execPath,
      '-e',
      `${socket} s.on('message', () => process.stdout.write('x'));
      s.bind(${PORT}, () => process.stdout.write('ready'))`,
    );
    let ready = false;
    ear.stdout?.on('data', (chunk: Buffer) => {
      const text = chunk.toString();
      ready ||= text.includes('ready');
      flood.#heard += text.replace('ready', '').length;
    });
    await eventually('the listener', async () => ready);
    from.start(
      process.execPath,
      '-e',
      `${socket} s.on('error', () => {});
      setInterval(() => s.send('x', ${PORT}, '${address}', () => {}), ${EVERY_MS})`,
    );
    return flood;
  }

  /** Datagrams that arrived. */
  heard(): number {
    return this.#heard;
  }

  /** Whether it ends: nothing arrives for a while. */
  async stops(): Promise<boolean> {
    await eventually('silence', async () => {
      const before = this.#heard;
      await new Promise((resolve) => setTimeout(resolve, QUIET_MS));
      return this.#heard === before;
    });
    return true;
  }
}
