import { DurableObject } from 'cloudflare:workers';
import { sql } from 'drizzle-orm';
import { systemClock, systemTimers } from '../../shared/clock.ts';
import { toHex } from '../../shared/digest.ts';
import { randomIds } from '../../shared/ids.ts';
import { HEARTBEAT_S, HELLO_TIMEOUT_S, LEASE_S } from '../../shared/limits.ts';
import { type Envelope, parseRunnerFrame } from '../../shared/protocol/envelope.ts';
import type { RunnerMessage, RunnerMessageOf } from '../../shared/protocol/messages.ts';
import type { Env } from '../env.ts';
import { commitAll } from '../http/commit.ts';
import type { Context } from '../http/context.ts';
import { type LiveAsked, liveStreams } from '../metering/live/live-streams.ts';
import type { MeterPoint, PointsAsked } from '../metering/read-points.ts';
import { runnerMeter } from '../metering/runner-meter.ts';
import type { QueryAnswer } from './fleet.ts';
import { desiredSeries, look, lookWhole, operationMessage, renewLease } from './link/desired-state.ts';
import { acceptHello } from './link/hello.ts';
import { moveKeys } from './link/move-keys.ts';
import { recordObserved } from './link/record-observed.ts';
import { recordOperation } from './link/record-operation.ts';
import { recordUnknown } from './link/record-unknown.ts';
import { rotateKey } from './link/rotate-key.ts';
import { newSessionData, type Session } from './link/session.ts';
import { type PollAnswer, PollSession, socketSession } from './link/transports.ts';
import { objectContext } from './object-context.ts';
import { RUNNER_TOKEN_LIFE_S, signRunnerToken } from './runner-token.ts';

/** Conversations of one runner that may be open at once, welcomed or not. */
const SESSIONS_MAX = 8;
const FRAMES_PER_POLL_MAX = 200;
/** A new bearer is sent when the old one has this long to live. */
const TOKEN_RENEW_BEFORE_MS = (RUNNER_TOKEN_LIFE_S * 1000) / 2;

/** An alarm that failed is called again this soon. */
const ALARM_RETRY_MS = 60_000;

type Numbered = Pick<Envelope<unknown>, 'session' | 'epoch' | 'seq'>;

/** Whether a frame is of this session, as it is now: what an older epoch says is dropped. */
const belongs = ({ data }: Session, frame: Numbered) => frame.session === data.id && frame.epoch === data.epoch;

/**
 * One runner's link: holds its socket, sends it what changed, writes down what it reports. The database is the truth;
 * nothing here must survive but the sockets' attachments. Frames and pokes are worked off one after another.
 */
export class RunnerLink extends DurableObject<Env> {
  #live: Session | null = null;
  #polls = new Map<string, PollSession>();
  #work: Promise<unknown> = Promise.resolve();
  #lookWanted = false;
  #queries = new Map<string, (answer: QueryAnswer) => void>();
  #sentOperations = new Set<string>();
  #meter = runnerMeter(this.ctx.storage);
  #streams = liveStreams(this.#meter, systemTimers);

  constructor(state: DurableObjectState, env: Env) {
    super(state, env);
    for (const socket of state.getWebSockets()) {
      const session = socketSession(socket, this.#now);
      if (session.data.epoch > (this.#live?.data.epoch ?? 0)) this.#live = session;
    }
  }

  #now = () => systemClock.nowMs();

  /** A runner opens its socket: it is challenged, and welcomed once its hello is good. */
  override async fetch(request: Request): Promise<Response> {
    const runnerId = new URL(request.url).pathname.slice(1);
    if (this.ctx.getWebSockets().length >= SESSIONS_MAX) this.#dropUnwelcomed();
    if (this.ctx.getWebSockets().length >= SESSIONS_MAX) return new Response(null, { status: 503 });
    const { 0: client, 1: server } = new WebSocketPair();
    this.ctx.acceptWebSocket(server);
    this.#challenge(socketSession(server, this.#now, this.#freshData(runnerId)));
    await this.#arm(this.#now() + HELLO_TIMEOUT_S * 1000);
    return new Response(null, { status: 101, webSocket: client });
  }

  /** One long poll: takes the runner's frames, answers with ours. Null: the session is lost, begin anew. */
  async poll(runnerId: string, sessionId: string | null, frames: string[]): Promise<PollAnswer> {
    let session = sessionId === null ? undefined : this.#polls.get(sessionId);
    if (sessionId !== null && (!session || session.closed)) return null;
    if (!session) {
      for (const [id, old] of this.#polls) if (old.closed || this.#over(old)) this.#polls.delete(id);
      if (this.#polls.size >= SESSIONS_MAX) return null;
      session = new PollSession(this.#freshData(runnerId), this.#now);
      this.#polls.set(session.data.id, session);
      this.#challenge(session);
    }
    for (const text of frames.slice(0, FRAMES_PER_POLL_MAX)) await this.#received(session, text);
    return session.take();
  }

  /** Looks at the database for this runner, soon; many pokes become one look. */
  async poke(_runnerId: string): Promise<void> {
    if (this.#lookWanted || !this.#live) return;
    this.#lookWanted = true;
    await this.#enqueue(async () => {
      this.#lookWanted = false;
      if (this.#live) await this.#sendChanges(this.#live);
    });
  }

  /** Asks the runner a question and waits for its answer. */
  async query(
    _runnerId: string,
    query: { kind: string; targetId: string; args: Record<string, unknown> },
    timeoutMs: number,
  ): Promise<QueryAnswer> {
    const live = this.#live;
    if (!live) return { ok: false, fault: { code: 503, message: 'The runner of this server is not connected.' } };
    const queryId = randomIds.uuid();
    return new Promise((resolve) => {
      const settle = (answer: QueryAnswer) => {
        clearTimeout(timer);
        this.#queries.delete(queryId);
        resolve(answer);
      };
      const timer = setTimeout(
        () => settle({ ok: false, fault: { code: 504, message: 'The runner did not answer in time.' } }),
        timeoutMs,
      );
      this.#queries.set(queryId, settle);
      live.send({ type: 'query', query_id: queryId, kind: query.kind, target_id: query.targetId, args: query.args });
    });
  }

  /** Asks the runner for a new key. @returns whether it is connected */
  async rotate(): Promise<boolean> {
    this.#live?.send({ type: 'rotate' });
    return this.#live !== null;
  }

  /** Ends the runner's session for good. */
  async dismiss(code: string, message: string): Promise<void> {
    this.#live?.send({ type: 'reject', code, message, retry: false });
    this.#live?.close(1008, code);
    this.#live = null;
  }

  override async webSocketMessage(socket: WebSocket, message: string | ArrayBuffer): Promise<void> {
    const session = socketSession(socket, this.#now);
    if (typeof message !== 'string') return session.close(1003, 'text frames only');
    await this.#received(session, message);
  }

  override async webSocketClose(socket: WebSocket): Promise<void> {
    await this.#gone(socketSession(socket, this.#now));
  }

  override async webSocketError(socket: WebSocket): Promise<void> {
    await this.#gone(socketSession(socket, this.#now));
  }

  /** What the machine's samples of a time were. */
  async meterPoints(_runnerId: string, asked: PointsAsked): Promise<MeterPoint[]> {
    return this.#meter.points(asked);
  }

  /** Points as they come, in lines; null where there are too many streams. */
  async live(_runnerId: string, asked: LiveAsked): Promise<ReadableStream<Uint8Array> | null> {
    return this.#streams.open(asked);
  }

  /** Ends a stream of points whose reader is gone. */
  async endLive(id: string): Promise<void> {
    this.#streams.end(id);
  }

  /** How many streams of points are open. */
  liveCount(): number {
    return this.#streams.count();
  }

  /** Closes sockets that never said hello, and seals what was metered. */
  override async alarm(): Promise<void> {
    // First of all: an alarm that fails too often is never called again.
    await this.ctx.storage.setAlarm(this.#now() + ALARM_RETRY_MS);
    this.#dropUnwelcomed();
    const of = this.#meter.of();
    try {
      if (of) await this.#meter.round(objectContext(this.env, this.ctx, of.region));
    } catch (error) {
      objectContext(this.env, this.ctx, this.env.REGION).log.error('meter-failed', { ...of, error: String(error) });
    }
    const due = [this.#helloDueMs(), this.#meter.dueMs(this.#now())].filter((atMs) => atMs !== null);
    if (due.length > 0) await this.ctx.storage.setAlarm(Math.min(...due));
    else await this.ctx.storage.deleteAlarm();
  }

  /** Has the alarm come by a moment: an object has but one, for whatever comes first. */
  async #arm(atMs: number | null): Promise<void> {
    if (atMs === null) return;
    const armedMs = await this.ctx.storage.getAlarm();
    if (armedMs === null || armedMs > atMs) await this.ctx.storage.setAlarm(atMs);
  }

  /** When the first of the sockets that have not said hello is to be closed; null where there is none. */
  #helloDueMs(): number | null {
    const open = this.ctx.getWebSockets().filter((socket) => socket.readyState === WebSocket.OPEN);
    const waiting = open.map((socket) => socketSession(socket, this.#now).data);
    const opened = waiting.filter(({ epoch }) => epoch === 0).map(({ openedAtMs }) => openedAtMs);
    return opened.length === 0 ? null : Math.min(...opened) + HELLO_TIMEOUT_S * 1000;
  }

  #dropUnwelcomed(): void {
    for (const socket of this.ctx.getWebSockets()) {
      const { data, close } = socketSession(socket, this.#now);
      if (data.epoch === 0 && this.#now() - data.openedAtMs >= HELLO_TIMEOUT_S * 1000) close(1008, 'no hello');
    }
  }

  #freshData(runnerId: string) {
    const nonce = toHex(crypto.getRandomValues(new Uint8Array(32)));
    return newSessionData({ id: randomIds.uuid(), runnerId, nonce, region: this.env.REGION, nowMs: this.#now() });
  }

  /** A poll that nobody continues, or that never said hello. */
  #over({ data, lastPollMs }: PollSession): boolean {
    const silent = this.#now() - lastPollMs > LEASE_S * 1000;
    return silent || (data.epoch === 0 && this.#now() - data.openedAtMs > HELLO_TIMEOUT_S * 1000);
  }

  #challenge(session: Session): void {
    session.send({ type: 'challenge', nonce: session.data.nonce, session: session.data.id });
  }

  #context(session: Session): Context {
    return objectContext(this.env, this.ctx, session.data.region);
  }

  /** Runs work after all that came before it. A failure ends the session: the runner comes back and says it again. */
  #enqueue(work: () => Promise<void>): Promise<void> {
    const done = this.#work.then(work);
    this.#work = done.catch(() => {});
    return done;
  }

  async #received(session: Session, text: string): Promise<void> {
    const parsed = parseRunnerFrame(text);
    if ('refused' in parsed) {
      const { envelope, ...refused } = parsed;
      this.#context(session).log.error('frame-refused', { runnerId: session.data.runnerId, ...refused });
      if (!envelope) return session.close(1007, parsed.refused);
      // A newer runner may say what we do not know: it is counted, or what follows would seem to have a gap before it.
      return this.#counted(session, envelope, async () => {});
    }
    const { body } = parsed;
    // Whoever asked is waiting: an answer does not queue. Its number does, or it would hide the frames before it.
    if (body.type === 'answer') {
      if (belongs(session, parsed)) this.#answered(body);
      return this.#counted(session, parsed, async () => {});
    }
    return this.#counted(session, parsed, () => this.#handle(session, body));
  }

  /** Does what a frame says in its turn, once, and acknowledges it when that is written down. */
  async #counted(session: Session, frame: Numbered, work: () => Promise<void>): Promise<void> {
    if (!belongs(session, frame)) return;
    const { data } = session;
    try {
      await this.#enqueue(async () => {
        if (frame.seq > data.seqIn + 1) throw new Error(`frame ${frame.seq} follows ${data.seqIn}`);
        // Said before: a repeat is acknowledged again and does nothing.
        if (frame.seq === data.seqIn + 1) await work();
        const first = data.seqIn === 0;
        data.seqIn = Math.max(data.seqIn, frame.seq);
        session.save();
        if (!first) session.send({ type: 'beat', server_time_ms: this.#now() });
      });
    } catch (error) {
      this.#context(session).log.error('link-failed', { runnerId: data.runnerId, error: String(error) });
      session.close(1013, 'try again later');
      await this.#gone(session);
    }
  }

  #answered(answer: RunnerMessageOf<'answer'>): void {
    const fault = answer.fault ?? { code: 500, message: 'The runner gave no reason.' };
    this.#queries.get(answer.query_id)?.(answer.ok ? { ok: true, result: answer.result } : { ok: false, fault });
  }

  async #handle(session: Session, message: Exclude<RunnerMessage, { type: 'answer' }>): Promise<void> {
    const ctx = this.#context(session);
    const runnerId = session.data.runnerId;
    if (message.type === 'hello') return this.#hello(ctx, session, message);
    if (session.data.epoch === 0 || session !== this.#live) return;
    switch (message.type) {
      case 'observed':
        return recordObserved(ctx, runnerId, message.observations);
      case 'operation-update':
        await recordOperation(ctx, runnerId, message);
        if (message.state !== 'accepted') session.send({ type: 'operation-ack', op_ids: [message.op_id] });
        return;
      case 'heartbeat':
        return this.#heartbeat(ctx, session, message);
      case 'metered':
        return this.#metered(ctx, session, message);
      case 'unknown':
        return recordUnknown(ctx, runnerId, message);
      case 'resync':
        ctx.log.error('resync', { runnerId, reason: message.reason });
        return this.#sendWhole(session, 0, '');
      case 'rotated':
        if (!(await rotateKey(ctx, session.data, message)))
          session.send({
            type: 'reject',
            code: 'bad-signature',
            message: 'The old key did not sign the new one.',
            retry: true,
          });
        return;
    }
  }

  /** Acknowledges samples once they are kept for good, and not before. */
  async #metered(ctx: Context, session: Session, message: RunnerMessageOf<'metered'>): Promise<void> {
    const { id, runnerId } = session.data;
    const seq = await this.#meter.take(ctx, { runnerId, session: id, message });
    this.#streams.wake();
    if (seq > 0) session.send({ type: 'metered-ack', spool_id: message.spool_id, seq });
    await this.#arm(this.#meter.dueMs(this.#now()));
  }

  async #hello(ctx: Context, session: Session, hello: RunnerMessageOf<'hello'>): Promise<void> {
    if (session.data.epoch !== 0) return;
    const older = this.#live;
    const verdict = await acceptHello(ctx, session.data, hello, older ? { bootId: older.data.bootId } : null);
    if ('type' in verdict) {
      session.send(verdict);
      return session.close(1008, verdict.code);
    }
    older?.send({ type: 'reject', code: 'fenced', message: 'A newer session of this runner took over.', retry: false });
    older?.close(1008, 'fenced');
    const { data } = session;
    const ourFirst = { epoch: verdict.epoch, region: verdict.region, bootId: hello.boot_id };
    Object.assign(data, ourFirst);
    this.#live = session;
    this.#sentOperations.clear();
    const token = await this.#newToken(session);
    const welcome = {
      session: data.id,
      epoch: data.epoch,
      protocol: verdict.protocol,
      heartbeat_s: HEARTBEAT_S,
      token,
    };
    session.send({ type: 'welcome', ...welcome, server_time_ms: this.#now(), generation: hello.generation });
    await this.#sendWhole(session, hello.generation, hello.digest);
    await this.env.REGION_WATCH.get(this.env.REGION_WATCH.idFromName(data.region)).watch(data.region);
  }

  async #newToken(session: Session): Promise<string> {
    session.data.tokenExpiresAtMs = this.#now() + RUNNER_TOKEN_LIFE_S * 1000;
    return signRunnerToken(this.env, systemClock, { id: session.data.runnerId, epoch: session.data.epoch });
  }

  async #heartbeat(ctx: Context, session: Session, beat: RunnerMessageOf<'heartbeat'>): Promise<void> {
    const { data } = session;
    const renewal = { nowMs: this.#now(), leaseMs: LEASE_S * 1000, guests: beat.guests, epoch: data.epoch };
    const [row] = await renewLease(ctx.db, data.runnerId, renewal);
    if (!row) return this.dismiss('fenced', 'This session is no longer the runner’s newest.');
    // The runner lacks something that was sent: its ledger, not our memory, says from where to go on.
    if (beat.generation < data.sentGeneration) data.sentGeneration = beat.generation;
    if (row.generation > data.sentGeneration) await this.#sendChanges(session);
    if (data.tokenExpiresAtMs - this.#now() < TOKEN_RENEW_BEFORE_MS) {
      session.send({ type: 'beat', server_time_ms: this.#now(), token: await this.#newToken(session) });
    }
  }

  /** Sends what changed since the last look. */
  async #sendChanges(session: Session): Promise<void> {
    await this.#send(
      session,
      await look(this.#context(session).db, session.data.runnerId, session.data.sentGeneration),
      false,
    );
  }

  /** Sends what the ledger lacks; everything, when it is not what it should be at its generation. */
  async #sendWhole(session: Session, generation: number, digest: string): Promise<void> {
    const db = this.#context(session).db;
    const newer = await lookWhole(db, session.data.runnerId, generation);
    const same = generation === newer.generation && digest === newer.ledgerDigest;
    const full = generation === 0 || generation > newer.generation || (generation === newer.generation && !same);
    await this.#send(session, full && generation > 0 ? await lookWhole(db, session.data.runnerId, 0) : newer, full);
  }

  async #send(session: Session, seen: Awaited<ReturnType<typeof look>>, full: boolean): Promise<void> {
    if (full || seen.objects.length > 0 || seen.generation > session.data.sentGeneration) {
      for (const message of await desiredSeries(seen, full, moveKeys(this.env))) session.send(message);
    }
    session.data.sentGeneration = seen.generation;
    for (const row of seen.operations) {
      if (this.#sentOperations.has(row.opId)) continue;
      this.#sentOperations.add(row.opId);
      session.send(await operationMessage(row, moveKeys(this.env)));
    }
    session.save();
  }

  async #gone(session: Session): Promise<void> {
    if (session !== this.#live) return;
    this.#live = null;
    for (const settle of [...this.#queries.values()])
      settle({ ok: false, fault: { code: 503, message: 'The runner of this server lost its connection.' } });
    const { runnerId, epoch } = session.data;
    const ctx = this.#context(session);
    await commitAll(ctx, [
      ctx.db.run(sql`UPDATE runners SET connected = 0 WHERE id = ${runnerId} AND epoch = ${epoch}`),
    ]);
  }
}
