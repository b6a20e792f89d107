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

/** A machine that says what a test has it say, over long polls, to a whole cloud. It has no guests. */
export class PollRunner {
  readonly id: string;
  readonly #url: string;
  #session: string | null = null;
  #epoch = 0;
  #seq = 0;
  #received: EdgeMessage[] = [];

  private constructor(url: string, id: string) {
    this.id = id;
    this.#url = url;
  }

  /** Joins a cloud and is welcomed. */
  static async join(cloud: Cloud, name: string): Promise<PollRunner> {
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
    const own = new PollRunner(cloud.url, runner.id);
    await own.#poll([]);
    const { nonce } = (await own.#next('challenge')) as MessageOf<'challenge'>;
    const who = { runner_id: runner.id, machine_id: name, boot_id: 'b' };
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
    await own.#say(hello);
    own.#epoch = ((await own.#next('welcome')) as MessageOf<'welcome'>).epoch;
    return own;
  }

  /** Says samples, and waits until they are acknowledged. @returns up to which */
  async metered(spool: string, batches: SampleBatch[]): Promise<number> {
    await this.#say({ type: 'metered', spool_id: spool, batches });
    return ((await this.#next('metered-ack')) as MessageOf<'metered-ack'>).seq;
  }

  async #next(type: EdgeMessage['type']): Promise<EdgeMessage> {
    for (;;) {
      const at = this.#received.findIndex((message) => message.type === type);
      if (at >= 0) return this.#received.splice(at, 1)[0] as EdgeMessage;
      await this.#poll([]);
    }
  }

  async #say(body: RunnerMessage): Promise<void> {
    this.#seq += 1;
    const envelope = { v: 1, session: this.#session, epoch: this.#epoch, seq: this.#seq, ack: 0, ts_ms: 0 };
    await this.#poll([JSON.stringify({ ...envelope, body })]);
  }

  async #poll(frames: string[]): Promise<void> {
    const url = `${this.#url}/aerostat/v1/runners/${this.id}/poll`;
    const answer = await post<{ session: string; frames: string[] }>(url, { session: this.#session, frames });
    this.#session = answer.session;
    for (const text of answer.frames) {
      const frame = parseEdgeFrame(text);
      if ('refused' in frame) throw new Error(`the edge sent ${frame.refused}: ${frame.message}`);
      this.#received.push(frame.body);
    }
  }
}

async function post<T>(url: string, body: unknown): Promise<T> {
  const headers = { 'content-type': 'application/json' };
  const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) });
  if (!response.ok) throw new Error(`${url}: ${response.status} ${await response.text()}`);
  return response.json() as Promise<T>;
}
