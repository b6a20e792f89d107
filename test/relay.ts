import { connect, createServer, type Server, type Socket } from 'node:net';

/** A line between a runner and the edge that a test can cut, in the middle of a message too. */
export class Relay {
  readonly #server: Server;
  readonly #target: { host: string; port: number };
  readonly #pairs = new Set<{ client: Socket; upstream: Socket }>();
  #refusing = false;
  #cutAfterBytes: number | null = null;

  private constructor(target: { host: string; port: number }) {
    this.#target = target;
    this.#server = createServer((client) => this.#accept(client));
  }

  /** Listens on a free loopback port, or on a unix socket when a path is given. */
  static async open(target: { host: string; port: number }, path?: string): Promise<Relay> {
    const relay = new Relay(target);
    await new Promise<void>((resolve) =>
      path ? relay.#server.listen(path, resolve) : relay.#server.listen(0, '127.0.0.1', resolve),
    );
    return relay;
  }

  /** Where it listens, for a relay on loopback. */
  get url(): string {
    const address = this.#server.address();
    if (!address || typeof address === 'string') throw new Error('this relay listens on a unix socket');
    return `http://127.0.0.1:${address.port}`;
  }

  /** Cuts every connection now; new ones are taken. */
  cut(): void {
    for (const { client, upstream } of this.#pairs) {
      client.destroy();
      upstream.destroy();
    }
    this.#pairs.clear();
  }

  /** Lets so many more bytes of the runner through, and cuts in the middle of whatever it says then. */
  cutAfter(bytes: number): void {
    this.#cutAfterBytes = bytes;
  }

  /** The edge is away: connections are cut and refused until it is back. */
  away(): void {
    this.#refusing = true;
    this.cut();
  }

  back(): void {
    this.#refusing = false;
  }

  async close(): Promise<void> {
    this.cut();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #accept(client: Socket): void {
    if (this.#refusing) {
      client.destroy();
      return;
    }
    const upstream = connect(this.#target.port, this.#target.host);
    const pair = { client, upstream };
    this.#pairs.add(pair);
    const drop = () => {
      client.destroy();
      upstream.destroy();
      this.#pairs.delete(pair);
    };
    client.on('error', drop).on('close', drop);
    upstream.on('error', drop).on('close', drop);
    upstream.pipe(client);
    client.on('data', (chunk: Buffer) => {
      if (this.#cutAfterBytes === null) return upstream.write(chunk);
      const passed = chunk.subarray(0, this.#cutAfterBytes);
      this.#cutAfterBytes -= passed.length;
      upstream.write(passed);
      if (passed.length < chunk.length) {
        this.#cutAfterBytes = null;
        upstream.end(() => drop());
      }
      return true;
    });
  }
}
