import { parseEdgeFrame } from '../shared/protocol/envelope.ts';
import {
  type EdgeMessage,
  helloText,
  type MessageOf,
  type RunnerMessage,
  type SampleBatch,
} from '../shared/protocol/messages.ts';
import type { Cloud } from './cloud.ts';

const base64url = (bytes: ArrayBuffer) => Buffer.from(bytes).toString('base64url');
const CAPACITY = { vcpus: 10_000, memory_mib: 10_000_000, disk_gib: 1_000_000 };

/** What a machine keeps between its sessions. */
interface Enrolled {
  url: string;
  id: string;
  name: string;
  keys: CryptoKeyPair;
}

/** A machine that says what a test has it say, over its socket, to a whole cloud. It has no guests. */
export class SocketRunner {
  readonly id: string;
  readonly #enrolled: Enrolled;
  readonly #socket: WebSocket;
  #session = '';
  #epoch = 0;
  #seq = 0;
  #received: EdgeMessage[] = [];
  #wake: () => void = () => {};

  private constructor(enrolled: Enrolled) {
    const { url, id } = enrolled;
    this.id = id;
    this.#enrolled = enrolled;
    this.#socket = new WebSocket(`${url.replace(/^http/, 'ws')}/aerostat/v1/runners/${id}/link`);
    this.#socket.addEventListener('message', ({ data }) => {
      const frame = parseEdgeFrame(String(data));
      if ('refused' in frame) throw new Error(`the edge sent ${frame.refused}: ${frame.message}`);
      this.#session = frame.session;
      // Beats tell nothing here.
      if (frame.body.type !== 'beat') this.#received.push(frame.body);
      this.#wake();
    });
    this.#socket.addEventListener('close', () => this.#wake());
  }

  /** Joins a cloud and is welcomed. */
  static async join(cloud: Cloud, name: string): Promise<SocketRunner> {
    const keys = (await crypto.subtle.generateKey('Ed25519', true, ['sign', 'verify'])) as CryptoKeyPair;
    const body = { join_token: {} };
    const { join_token } = await cloud.admin.call<{ join_token: { token: string } }>(
      'aerostat',
      'POST',
      '/join-tokens',
      body,
    );
    const { runner } = await post<{ runner: { id: string } }>(`${cloud.url}/aerostat/v1/runners/enrol`, {
      ...{
        token: join_token.token,
        name,
        machine_id: name,
        capacity: CAPACITY,
        hypervisor: 'simulated',
        version: 'test',
      },
      public_key: base64url((await crypto.subtle.exportKey('raw', keys.publicKey)) as ArrayBuffer),
    });
    return SocketRunner.#link({ url: cloud.url, id: runner.id, name, keys });
  }

  /** The same machine in a session of its own, as after its line was cut. */
  again(): Promise<SocketRunner> {
    this.close();
    return SocketRunner.#link(this.#enrolled);
  }

  static async #link(enrolled: Enrolled): Promise<SocketRunner> {
    const { id, name, keys } = enrolled;
    const own = new SocketRunner(enrolled);
    const { nonce } = (await own.#next('challenge')) as MessageOf<'challenge'>;
    const who = { runner_id: id, machine_id: name, boot_id: 'b' };
    const text = new TextEncoder().encode(helloText({ nonce, ...who }));
    const hello = {
      ...{ type: 'hello', process_id: 'p', version: 'test', protocol: [1, 1], hypervisor: 'simulated', hostname: name },
      ...{
        capacity: CAPACITY,
        capabilities: [],
        tunnel_ip: '192.0.2.1',
        physical_networks: [],
        generation: 0,
        digest: '',
      },
      ...{ attempts: 0, signature: base64url(await crypto.subtle.sign('Ed25519', keys.privateKey, text)), ...who },
    } as RunnerMessage;
    own.#say(hello);
    own.#epoch = ((await own.#next('welcome')) as MessageOf<'welcome'>).epoch;
    return own;
  }

  /** Says samples. */
  says(spool: string, batches: SampleBatch[]): void {
    this.#say({ type: 'metered', spool_id: spool, batches });
  }

  /** Up to which samples are acknowledged that nobody waited for; 0 where none are. */
  acked(): number {
    const acks = this.#received.filter((message) => message.type === 'metered-ack');
    return acks.reduce((latest, { seq }) => Math.max(latest, seq), 0);
  }

  /** Says samples, and waits until they are acknowledged. @returns up to which */
  async metered(spool: string, batches: SampleBatch[]): Promise<number> {
    this.says(spool, batches);
    return ((await this.#next('metered-ack')) as MessageOf<'metered-ack'>).seq;
  }

  close(): void {
    this.#socket.close();
  }

  async #next(type: EdgeMessage['type']): Promise<EdgeMessage> {
    for (;;) {
      const at = this.#received.findIndex((message) => message.type === type);
      if (at >= 0) return this.#received.splice(at, 1)[0] as EdgeMessage;
      if (this.#socket.readyState > WebSocket.OPEN) throw new Error('the edge closed the socket');
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  #say(body: RunnerMessage): void {
    this.#seq += 1;
    const envelope = { v: 1, session: this.#session, epoch: this.#epoch, seq: this.#seq, ack: 0, ts_ms: 0 };
    this.#socket.send(JSON.stringify({ ...envelope, body }));
  }
}

async function post<T>(url: string, body: unknown): Promise<T> {
  const headers = { 'content-type': 'application/json' };
  const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) });
  if (!response.ok) throw new Error(`${url}: ${response.status} ${await response.text()}`);
  return response.json() as Promise<T>;
}
