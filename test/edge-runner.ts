import { SELF } from 'cloudflare:test';
import { type Envelope, parseEdgeFrame } from '../shared/protocol/envelope.ts';
import { type EdgeMessage, helloText, type MessageOf, type RunnerMessage } from '../shared/protocol/messages.ts';
import { adminToken, call, ORIGIN } from './edge-client.ts';

export interface Enrolled {
  id: string;
  name: string;
  machineId: string;
  keys: CryptoKeyPair;
}

const base64url = (bytes: ArrayBuffer) =>
  btoa(String.fromCharCode(...new Uint8Array(bytes)))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '');

/** A fresh one-time token. */
export async function joinToken(options: { expires_in_s?: number; zone?: string } = {}): Promise<string> {
  const response = await call('POST', '/aerostat/v1/join-tokens', {
    token: await adminToken(),
    body: { join_token: options },
  });
  return ((await response.json()) as { join_token: { token: string } }).join_token.token;
}

export const newKeys = () => crypto.subtle.generateKey('Ed25519', true, ['sign', 'verify']) as Promise<CryptoKeyPair>;

export async function publicKeyText(keys: CryptoKeyPair): Promise<string> {
  return base64url((await crypto.subtle.exportKey('raw', keys.publicKey)) as ArrayBuffer);
}

export async function sign(keys: CryptoKeyPair, text: string): Promise<string> {
  return base64url(await crypto.subtle.sign('Ed25519', keys.privateKey, new TextEncoder().encode(text)));
}

/** Enrols a runner as a machine would. */
export async function enrol(
  options: { token?: string; name?: string; keys?: CryptoKeyPair; machineId?: string } = {},
): Promise<{ response: Response; runner: Enrolled }> {
  const keys = options.keys ?? (await newKeys());
  const name = options.name ?? `r-${crypto.randomUUID()}`;
  const machineId = options.machineId ?? crypto.randomUUID();
  const body = {
    token: options.token ?? (await joinToken()),
    name,
    public_key: await publicKeyText(keys),
    machine_id: machineId,
    capacity: { vcpus: 8, memory_mib: 16_384, disk_gib: 100 },
    hypervisor: 'simulated',
    version: 'test',
  };
  const response = await call('POST', '/aerostat/v1/runners/enrol', { body });
  const answer = (await response.clone().json()) as { runner?: { id: string } };
  return { response, runner: { id: answer.runner?.id ?? '', name, machineId, keys } };
}

/** A runner's side of the socket, spoken by hand so that a test can say wrong things too. */
export class EdgeRunner {
  readonly runner: Enrolled;
  readonly socket: WebSocket;
  readonly received: Envelope<EdgeMessage>[] = [];
  session = '';
  /** The edge's answer to the hello. */
  welcome: EdgeMessage | null = null;
  epoch = 0;
  seq = 0;
  closed: { code: number; reason: string } | null = null;
  #waiters: (() => void)[] = [];

  private constructor(runner: Enrolled, socket: WebSocket) {
    this.runner = runner;
    this.socket = socket;
    socket.accept();
    socket.addEventListener('message', ({ data }) => {
      const frame = parseEdgeFrame(String(data));
      if ('refused' in frame) throw new Error(`the edge sent ${frame.refused}: ${frame.message}`);
      this.session = frame.session;
      this.received.push(frame);
      this.#wake();
    });
    socket.addEventListener('close', ({ code, reason }) => {
      this.closed = { code, reason };
      this.#wake();
    });
  }

  static async open(runner: Enrolled): Promise<EdgeRunner> {
    const response = await SELF.fetch(`${ORIGIN}/aerostat/v1/runners/${runner.id}/link`, {
      headers: { upgrade: 'websocket' },
    });
    if (!response.webSocket) throw new Error(`no socket: ${response.status} ${await response.text()}`);
    return new EdgeRunner(runner, response.webSocket);
  }

  /** Opens, says hello, and waits for the welcome or the rejection. */
  static async connect(runner: Enrolled, hello: Record<string, unknown> = {}): Promise<EdgeRunner> {
    const link = await EdgeRunner.open(runner);
    await link.hello(hello);
    const first = await link.next((message) => message.type === 'welcome' || message.type === 'reject');
    if (first.type === 'welcome') link.epoch = first.epoch;
    link.welcome = first;
    return link;
  }

  async hello(changes: Record<string, unknown> = {}): Promise<void> {
    const challenge = (await this.next((message) => message.type === 'challenge')) as MessageOf<'challenge'>;
    const said = { runner_id: this.runner.id, machine_id: this.runner.machineId, boot_id: 'boot-1', ...changes } as {
      runner_id: string;
      machine_id: string;
      boot_id: string;
    };
    const signature = await sign(this.runner.keys, helloText({ nonce: challenge.nonce, ...said }));
    this.send({
      type: 'hello',
      signature,
      process_id: 'p',
      version: 'test',
      protocol: [1, 1],
      hypervisor: 'simulated',
      hostname: this.runner.name,
      capacity: { vcpus: 8, memory_mib: 16_384, disk_gib: 100 },
      capabilities: [],
      tunnel_ip: '192.0.2.1',
      physical_networks: [],
      generation: 0,
      digest: '',
      attempts: 0,
      ...said,
    } as RunnerMessage);
  }

  /** Sends a message in the next frame; one that the test describes itself does not count. */
  send(body: RunnerMessage, envelope: Partial<Envelope<RunnerMessage>> = {}): number {
    if (Object.keys(envelope).length === 0) this.seq += 1;
    const { session, epoch, seq } = this;
    const frame = { v: 1, session, epoch, seq, ack: 0, ts_ms: 0, body, ...envelope };
    this.socket.send(JSON.stringify(frame));
    return frame.seq;
  }

  /** The first message that fits, received or still to come. */
  async next(fits: (message: EdgeMessage, frame: Envelope<EdgeMessage>) => boolean): Promise<EdgeMessage> {
    for (;;) {
      const found = this.received.findIndex((frame) => fits(frame.body, frame));
      if (found >= 0) return (this.received.splice(found, 1)[0] as Envelope<EdgeMessage>).body;
      if (this.closed) throw new Error(`closed: ${this.closed.code} ${this.closed.reason}`);
      await this.#event();
    }
  }

  /** Waits until everything sent so far was written down by the edge. */
  async settled(seq = this.seq): Promise<void> {
    await this.next((_message, frame) => frame.ack >= seq);
  }

  async end(): Promise<{ code: number; reason: string }> {
    while (!this.closed) await this.#event();
    return this.closed;
  }

  close(): void {
    this.socket.close(1000, 'bye');
  }

  #event = () => new Promise<void>((resolve) => this.#waiters.push(resolve));
  #wake(): void {
    for (const wake of this.#waiters.splice(0)) wake();
  }
}
