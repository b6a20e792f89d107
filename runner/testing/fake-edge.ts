import { createPublicKey, randomUUID, verify } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type WebSocket, WebSocketServer } from 'ws';
import { digestOf } from '../../shared/digest.ts';
import { ledgerDigest } from '../../shared/ledger-digest.ts';
import { parseRunnerFrame } from '../../shared/protocol/envelope.ts';
import {
  type DesiredObject,
  type EdgeMessage,
  helloText,
  type MessageOf,
  type Observation,
  type RunnerMessage,
  type RunnerMessageOf,
  rotateText,
} from '../../shared/protocol/messages.ts';

import { MeteredReceiver } from './metered-receiver.ts';

/** Generous: a loaded machine makes a test slow, never wrong. */
export const WAIT_MS = 60_000;

/** One conversation with a runner. */
export class EdgeSession {
  readonly id = randomUUID();
  readonly runnerId: string;
  readonly nonce = randomUUID().replaceAll('-', '');
  readonly transport: 'websocket' | 'poll';
  epoch = 0;
  /** It was welcomed and has been sent all that it is to hold. */
  greeted = false;
  seqOut = 0;
  /** What was acknowledged, and what has arrived: another matter while the edge is deaf. */
  seqIn = 0;
  seqArrived = 0;
  open = true;
  hello: RunnerMessageOf<'hello'> | null = null;
  readonly write: (text: string) => void;
  readonly cut: () => void;

  constructor(o: {
    runnerId: string;
    transport: 'websocket' | 'poll';
    write: (text: string) => void;
    cut: () => void;
  }) {
    this.runnerId = o.runnerId;
    this.transport = o.transport;
    this.write = o.write;
    this.cut = o.cut;
  }

  frame(body: EdgeMessage, change: Record<string, unknown> = {}): string {
    this.seqOut += 1;
    const { id: session, epoch, seqOut: seq, seqIn: ack } = this;
    return JSON.stringify({ v: 1, session, epoch, seq, ack, ts_ms: Date.now(), body, ...change });
  }

  send(body: EdgeMessage): void {
    this.write(this.frame(body));
  }
}

/** An edge in memory, behind real sockets: what it wants, what it was told, and ways to misbehave. */
export class FakeEdge {
  readonly #server: Server;
  readonly #sockets = new WebSocketServer({ noServer: true });
  readonly #watchers = new Set<() => void>();
  #sending: Promise<void> = Promise.resolve();
  readonly #polls = new Map<string, { session: EdgeSession; outbox: string[]; wake: () => void }>();
  url = '';
  heartbeatS = 15;
  generation = 0;
  readonly desired = new Map<
    string,
    { kind: string; id: string; generation: number; deleted: boolean; spec: unknown }
  >();
  readonly keys = new Map<string, { publicKey: string; machineId: string }>();
  readonly observed = new Map<string, Observation>();
  /** Everything that runners said, in order. */
  readonly said: { session: EdgeSession; message: RunnerMessage }[] = [];
  readonly sessions: EdgeSession[] = [];
  readonly operations = new Map<string, MessageOf<'operation'> & { ended: boolean }>();
  tokens = new Set(['token']);
  epoch = 0;
  refuseUpgrades = false;
  refusePolls = false;
  /** Acknowledge nothing, as while the database cannot be reached. */
  deaf = false;
  /** Takes samples; null as an edge that does not know of them. */
  meters: MeteredReceiver | null = new MeteredReceiver();
  /** Acknowledgements of samples to come that are lost with their session. */
  ackLosses = 0;
  /** Called in place of the welcome. */
  onHello: ((session: EdgeSession) => boolean) | null = null;

  constructor() {
    this.#server = createServer((request, response) => {
      void this.#http(request, response).catch(() => response.destroy());
    });
    this.#server.on('upgrade', (request, socket, head) => {
      if (this.refuseUpgrades) {
        socket.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n');
        return;
      }
      this.#sockets.handleUpgrade(request, socket, head, (ws) => this.#accept(ws, runnerIdOf(request)));
    });
  }

  async listen(port = 0): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(port, '127.0.0.1', resolve));
    this.url = `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
    return this;
  }

  async close(): Promise<void> {
    for (const session of this.sessions) session.cut();
    for (const poll of this.#polls.values()) poll.wake();
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  /** The newest session that is open and was greeted: what a test sends comes after that. */
  get live(): EdgeSession | undefined {
    return this.sessions.findLast((session) => session.open && session.greeted);
  }

  /** Resolves when something becomes true, as told by each event of the edge. */
  async until<T>(what: string | (() => string), look: () => T | undefined | null | false): Promise<T> {
    const found = look();
    if (found) return found;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#watchers.delete(watch);
        reject(new Error(`waited ${WAIT_MS} ms for ${typeof what === 'string' ? what : what()}`));
      }, WAIT_MS);
      const watch = () => {
        const now = look();
        if (!now) return;
        clearTimeout(timer);
        this.#watchers.delete(watch);
        resolve(now);
      };
      this.#watchers.add(watch);
    });
  }

  heard<T extends RunnerMessage['type']>(type: T): RunnerMessageOf<T>[] {
    return this.said
      .map((one) => one.message)
      .filter((message): message is RunnerMessageOf<T> => message.type === type);
  }

  observation(kind: string, id: string): Observation | undefined {
    return this.observed.get(`${kind}/${id}`);
  }

  /** Wants objects (a null spec: no longer), as one change, and tells the live session. */
  async want(objects: { kind: string; id: string; spec: unknown }[]): Promise<void> {
    this.generation += 1;
    for (const { kind, id, spec } of objects) {
      this.desired.set(`${kind}/${id}`, { kind, id, spec, deleted: spec === null, generation: this.generation });
    }
    const welcomed = this.sessions.findLast((session) => session.open && session.epoch > 0);
    if (welcomed) await this.sendDesired(welcomed, this.generation - 1);
  }

  /** Sends what changed since a generation, after whatever is being sent. */
  sendDesired(session: EdgeSession, since: number, full = false): Promise<void> {
    this.#sending = this.#sending.then(() => this.#sendDesired(session, since, full));
    return this.#sending;
  }

  async #sendDesired(session: EdgeSession, since: number, full: boolean): Promise<void> {
    const { generation } = this;
    const wanted = structuredClone([...this.desired.values()]);
    const objects: DesiredObject[] = [];
    for (const one of wanted) {
      if (one.generation > since) objects.push({ ...one, digest: await digestOf(one.spec) });
    }
    const ledger_digest = await ledgerDigest(wanted.filter((one) => !one.deleted));
    session.send({ type: 'desired', generation, full, complete: true, ledger_digest, objects });
  }

  digest(): Promise<string> {
    return ledgerDigest([...this.desired.values()].filter((one) => !one.deleted));
  }

  /** What is wanted and has not been reported as it is wanted, and tombstones, with what is known of each instead. */
  get open(): string[] {
    const open = [...this.desired.values()].filter((one) => {
      return one.deleted || this.observation(one.kind, one.id)?.generation !== one.generation;
    });
    return open.map(({ spec, ...one }) => JSON.stringify({ ...one, seen: this.observation(one.kind, one.id) }));
  }

  /** Everything wanted has been reported as it is wanted, and every tombstone is gone. */
  get converged(): boolean {
    return this.open.length === 0;
  }

  operate(operation: Partial<MessageOf<'operation'>> & { op_id: string; target_id: string }): void {
    const message: MessageOf<'operation'> = {
      type: 'operation',
      kind: 'reboot',
      target_kind: 'server',
      target_epoch: 1,
      attempt: 1,
      deadline_ms: Date.now() + 60_000,
      args: {},
      ...operation,
    };
    this.operations.set(message.op_id, { ...message, ended: false });
    this.live?.send(message);
  }

  /** Lets everybody who waits look again. */
  tell(): void {
    for (const watch of [...this.#watchers]) watch();
  }

  #begin(session: EdgeSession): void {
    this.sessions.push(session);
    session.send({ type: 'challenge', nonce: session.nonce, session: session.id });
    this.tell();
  }

  #accept(ws: WebSocket, runnerId: string): void {
    const session = new EdgeSession({
      runnerId,
      transport: 'websocket',
      write: (text) => ws.readyState === ws.OPEN && ws.send(text),
      cut: () => ws.terminate(),
    });
    ws.on('message', (data) => this.#received(session, data.toString()));
    ws.on('error', () => {});
    ws.on('close', () => {
      session.open = false;
      this.tell();
    });
    this.#begin(session);
  }

  async #http(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const answer = (status: number, body: unknown) => {
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    };
    const body = JSON.parse(Buffer.concat(chunks).toString() || '{}') as Record<string, unknown>;
    if (request.url === '/aerostat/v1/runners/enrol') return this.#enrol(body, answer);
    if (request.url?.endsWith('/poll')) return this.#poll(runnerIdOf(request), body, answer);
    answer(404, { error: { code: 404, message: 'not here' } });
  }

  #enrol(body: Record<string, unknown>, answer: (status: number, body: unknown) => void): void {
    const { token, public_key, machine_id } = body as { token: string; public_key: string; machine_id: string };
    if (!this.tokens.delete(token)) {
      answer(401, { error: { code: 401, message: 'This join token is not known.' } });
      return;
    }
    const id = randomUUID();
    this.keys.set(id, { publicKey: public_key, machineId: machine_id });
    answer(201, { runner: { id, region: 'RegionOne', zone: 'nova' } });
  }

  async #poll(
    runnerId: string,
    body: Record<string, unknown>,
    answer: (status: number, body: unknown) => void,
  ): Promise<void> {
    if (this.refusePolls) {
      answer(503, {});
      return;
    }
    const { session: id, frames } = body as { session: string | null; frames: string[] };
    let poll = id === null ? undefined : this.#polls.get(id);
    if (id !== null && !poll?.session.open) {
      answer(410, { error: { code: 410, title: 'session-lost' } });
      return;
    }
    if (!poll) {
      const outbox: string[] = [];
      const fresh = { outbox, wake: () => {}, session: undefined as unknown as EdgeSession };
      fresh.session = new EdgeSession({
        runnerId,
        transport: 'poll',
        write: (text) => {
          outbox.push(text);
          fresh.wake();
        },
        cut: () => {
          fresh.session.open = false;
          fresh.wake();
        },
      });
      this.#polls.set(fresh.session.id, fresh);
      this.#begin(fresh.session);
      poll = fresh;
    }
    for (const text of frames) this.#received(poll.session, text);
    // A newer request lets go of the one that is held.
    poll.wake();
    if (poll.outbox.length === 0 && poll.session.open) {
      await new Promise<void>((resolve) => {
        (poll as { wake: () => void }).wake = resolve;
      });
    }
    const { session } = poll;
    answer(session.open ? 200 : 410, { session: session.id, frames: poll.outbox.splice(0) });
  }

  #received(session: EdgeSession, text: string): void {
    const parsed = parseRunnerFrame(text);
    if ('refused' in parsed) throw new Error(`the runner sent ${parsed.refused}: ${parsed.message}`);
    if (parsed.session !== session.id || parsed.epoch !== session.epoch || parsed.seq <= session.seqArrived) return;
    if (parsed.seq !== session.seqArrived + 1)
      throw new Error(`the runner skipped from ${session.seqArrived} to ${parsed.seq}`);
    session.seqArrived = parsed.seq;
    const { body } = parsed;
    if (this.deaf && body.type !== 'hello') return;
    session.seqIn = parsed.seq;
    this.said.push({ session, message: body });
    void this.#handle(session, body).then(() => this.tell());
  }

  async #handle(session: EdgeSession, body: RunnerMessage): Promise<void> {
    if (body.type === 'hello') return this.#hello(session, body);
    if (body.type === 'observed') for (const one of body.observations) this.#observe(one);
    if (body.type === 'metered') this.#metered(session, body);
    if (body.type === 'resync') await this.sendDesired(session, 0, true);
    if (body.type === 'rotated') this.#rotate(session, body);
    if (body.type === 'operation-update' && body.state !== 'accepted') {
      const operation = this.operations.get(body.op_id);
      if (operation) operation.ended = true;
      session.send({ type: 'operation-ack', op_ids: [body.op_id] });
    }
    if (body.type === 'heartbeat' && body.generation < this.generation)
      await this.sendDesired(session, body.generation);
    session.send({ type: 'beat', server_time_ms: Date.now() });
  }

  #metered(session: EdgeSession, body: RunnerMessageOf<'metered'>): void {
    const ack = this.meters?.take(body);
    if (!ack) return;
    if (this.ackLosses === 0) session.send({ type: 'metered-ack', ...ack });
    else {
      this.ackLosses--;
      session.cut();
    }
  }

  #observe(one: Observation): void {
    const key = `${one.kind}/${one.id}`;
    this.observed.set(key, one);
    const wanted = this.desired.get(key);
    if (one.state === 'absent' && wanted?.deleted && wanted.generation <= one.generation) this.desired.delete(key);
  }

  async #hello(session: EdgeSession, hello: RunnerMessageOf<'hello'>): Promise<void> {
    session.hello = hello;
    const enrolled = this.keys.get(session.runnerId);
    const { runner_id, machine_id, boot_id } = hello;
    const text = helloText({ nonce: session.nonce, runner_id, machine_id, boot_id });
    if (!enrolled || !signed(enrolled.publicKey, text, hello.signature) || enrolled.machineId !== machine_id) {
      session.send({ type: 'reject', code: 'bad-signature', message: 'not the key that enrolled', retry: false });
      return;
    }
    if (this.onHello?.(session)) return;
    for (const older of this.sessions) if (older !== session && older.runnerId === session.runnerId) older.cut();
    this.epoch += 1;
    session.epoch = this.epoch;
    session.send({
      type: 'welcome',
      session: session.id,
      epoch: session.epoch,
      protocol: 1,
      server_time_ms: Date.now(),
      heartbeat_s: this.heartbeatS,
      token: `bearer-${session.epoch}`,
      generation: this.generation,
    });
    const full =
      hello.generation === 0 || (hello.generation === this.generation && hello.digest !== (await this.digest()));
    if (full || hello.generation < this.generation) await this.sendDesired(session, full ? 0 : hello.generation, full);
    for (const { ended, ...operation } of this.operations.values()) if (!ended) session.send(operation);
    session.greeted = true;
  }

  #rotate(session: EdgeSession, body: RunnerMessageOf<'rotated'>): void {
    const enrolled = this.keys.get(session.runnerId);
    const text = rotateText({ nonce: session.nonce, runner_id: session.runnerId, public_key: body.public_key });
    if (enrolled && signed(enrolled.publicKey, text, body.signature)) enrolled.publicKey = body.public_key;
  }
}

const runnerIdOf = (request: IncomingMessage) => /\/runners\/([^/]+)\//.exec(request.url ?? '')?.[1] ?? '';

function signed(publicKey: string, text: string, signature: string): boolean {
  const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: publicKey }, format: 'jwk' });
  return verify(null, Buffer.from(text), key, Buffer.from(signature, 'base64url'));
}
