import { connect, createServer, type Server, type Socket } from 'node:net';

type Speaker = 'runner' | 'edge';

/** A line between a runner and the edge that a test can cut, in the middle of a message too. */
export class Relay {
  readonly #server: Server;
  readonly #target: { host: string; port: number };
  readonly #pairs = new Set<{ client: Socket; upstream: Socket }>();
  #refusing = false;
  #stalled = false;
  #deafAfter: string | null = null;
  #deafness: 'none' | 'when it has spoken' | 'now' = 'none';
  #cuts = 0;
  #cutAfter: { from: Speaker; bytes: number } | null = null;

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

  /** Lets so many more bytes of one side through, and cuts in the middle of whatever it says then. */
  cutAfter(bytes: number, from: Speaker = 'runner'): void {
    this.#cutAfter = { from, bytes };
  }

  /** How often `cutAfter` has cut. */
  get cuts(): number {
    return this.#cuts;
  }

  /** Takes what either side says and passes nothing on, as a router does that forgot the connection; until `back`. */
  stall(): void {
    this.#stalled = true;
  }

  /** The edge is away: connections are cut and refused until it is back. */
  away(): void {
    this.#refusing = true;
    this.cut();
  }

  /**
   * Once the edge has said these words and the runner has spoken after them, nothing of the edge comes to it any more;
   * until `back`.
   */
  deafAfter(words: string): void {
    this.#deafAfter = words;
  }

  /** Connections that were stalled are cut, for what they said is lost; new ones are taken again. */
  back(): void {
    if (this.#stalled || this.#deafness === 'now') this.cut();
    this.#stalled = false;
    this.#deafness = 'none';
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
    this.#forward(client, upstream, 'runner', drop);
    this.#forward(upstream, client, 'edge', drop);
  }

  #forward(speaker: Socket, listener: Socket, from: Speaker, drop: () => void): void {
    speaker.on('data', (chunk: Buffer) => {
      if (from === 'runner' && this.#deafness === 'when it has spoken') this.#deafness = 'now';
      if (from === 'edge' && this.#deafAfter !== null && chunk.includes(this.#deafAfter)) {
        this.#deafAfter = null;
        this.#deafness = 'when it has spoken';
      }
      if (this.#stalled || (from === 'edge' && this.#deafness === 'now')) return;
      if (this.#cutAfter?.from !== from) {
        listener.write(chunk);
        return;
      }
      const passed = chunk.subarray(0, this.#cutAfter.bytes);
      this.#cutAfter.bytes -= passed.length;
      if (passed.length === chunk.length) {
        listener.write(passed);
        return;
      }
      this.#cutAfter = null;
      this.#cuts += 1;
      listener.end(passed, drop);
    });
  }
}
