import type { Timers } from '../../shared/clock.ts';
import { PROTOCOL_MAX, PROTOCOL_MIN } from '../../shared/limits.ts';
import type {
  Capacity,
  EdgeMessage,
  MessageOf,
  RunnerMessage,
  RunnerMessageOf,
} from '../../shared/protocol/messages.ts';
import { RUNNER_VERSION } from '../config.ts';
import type { Machine } from '../driver.ts';
import { errorText, type Log } from '../log.ts';
import { Metering } from '../metering/metering.ts';
import type { Spool } from '../metering/spool/spool.ts';
import { Reconciler } from '../reconcile/reconciler.ts';
import type { Identity } from '../state/identity.ts';
import { DesiredIntake } from './desired-intake.ts';
import { Inventory } from './inventory.ts';
import type { Ledger } from './ledger/ledger.ts';
import { OperationJournal } from './ledger/operation-journal.ts';
import { Link, type LinkStatus } from './link.ts';
import { Operations } from './operations.ts';
import { Queries } from './queries.ts';
import { Reporter } from './reporter.ts';
import { RunnerKeys } from './runner-keys.ts';
import type { Transport } from './transport.ts';

/** How long a machine that was booted waits for the edge before it starts its guests on its own. */
const FIRST_WORD_WAIT_MS = 10_000;
/** How long the end of the process waits for what runs on the machine. */
const STOP_TIMEOUT_MS = 3_000;
/** Deadlines are the edge's; a clock further off than this is worth a line of log. */
const CLOCK_SKEW_WARN_MS = 30_000;

export interface RunnerParts {
  identity: Identity;
  saveIdentity(identity: Identity): void;
  machine: Machine;
  ledger: Ledger;
  websocket: Transport;
  poll: Transport;
  time: Timers;
  random: () => number;
  log: Log;
  bootId: string;
  /** New at each start of the process. */
  processId: string;
  hostname: string;
  /** Samples that the edge does not keep yet. */
  spool: Spool;
  /** Time from any beginning that never goes back. */
  monotonicMs: () => number;
  /** The bearer for the runner's own HTTP calls changed. */
  onBearer(token: string): void;
  onStatus(status: LinkStatus): void;
  /** Only a new start of the process helps. */
  onFatal(reason: string): void;
}

/** One runner: keeps its machine as the ledger says, and the ledger as the edge says. */
export class Runner {
  readonly #p: RunnerParts;
  readonly #link: Link;
  readonly #keys: RunnerKeys;
  readonly #reconciler: Reconciler;
  readonly #reporter: Reporter;
  readonly #intake: DesiredIntake;
  readonly #operations: Operations;
  readonly #queries: Queries;
  readonly #inventory: Inventory;
  readonly #metering: Metering;
  #begun = false;
  #cancelBegin: () => void = () => {};
  #edgeAheadMs = 0;
  /** As last told to the edge. */
  #capacity: Capacity | null = null;
  #capacityNews: Capacity | null = null;

  constructor(parts: RunnerParts) {
    const { ledger, machine, time, random, log } = parts;
    this.#p = parts;
    const send = (message: RunnerMessage) => this.#link.send(message);
    this.#keys = new RunnerKeys(parts.identity, parts.saveIdentity);
    this.#reporter = new Reporter({ ledger, send, onStored: (observation) => machine.acknowledged(observation) });
    this.#inventory = new Inventory({ ledger, drivers: machine.drivers, time, log, send });
    this.#reconciler = new Reconciler({
      ledger,
      drivers: machine.drivers,
      time,
      random,
      log,
      bootId: parts.bootId,
      onNews: (keys) => this.#reporter.news(keys),
      onIdle: () => this.#idle(),
    });
    const journal = new OperationJournal(ledger.store, time, log);
    const edgeNowMs = () => time.nowMs() + this.#edgeAheadMs;
    const { operator } = machine;
    this.#operations = new Operations({
      journal,
      ledger,
      operator,
      reconciler: this.#reconciler,
      time,
      log,
      send,
      connected: () => this.#link.connected,
      edgeNowMs,
    });
    this.#queries = new Queries(operator, time, send);
    this.#intake = new DesiredIntake({
      ledger,
      time,
      log,
      send,
      accepted: (changed, full) => {
        if (full) this.#reporter.wantWhole();
        if (this.#begun) this.#reconciler.changed(changed);
        else this.#begin();
      },
      corrupt: () => parts.onFatal('the ledger is damaged; it is begun anew at the next start'),
    });
    this.#metering = new Metering({ ...parts, collectors: machine.collectors(parts.identity.runner_id), send });
    const handlers = {
      hello: (challenge: MessageOf<'challenge'>, attempts: number) => this.#hello(challenge, attempts),
      ready: (welcome: MessageOf<'welcome'>) => this.#ready(welcome),
      message: (message: EdgeMessage) => this.#message(message),
      acked: (seq: number) => this.#acked(seq),
      down: () => this.#down(),
      rejected: (reject: MessageOf<'reject'>) => this.#rejected(reject),
      heartbeat: () => this.#heartbeat(),
      status: parts.onStatus,
    };
    this.#link = new Link({ websocket: parts.websocket, poll: parts.poll, time, random, log, handlers });
  }

  /**
   * Begins with the ledger, then with the edge: a machine cut off brings its guests up all the same. After a boot of the machine
   * the edge has the first word, where it can be reached: guests that ran here may have been built anew elsewhere.
   */
  start(): void {
    const { machine, ledger, time, bootId } = this.#p;
    machine.onChange((kind, id) => this.#reconciler.observe(kind, id));
    const guests = [...ledger.objects.values()].filter(({ kind, deleted }) => kind === 'server' && !deleted);
    const booted = guests.some(({ appliedBoot }) => appliedBoot !== '' && appliedBoot !== bootId);
    if (booted) this.#cancelBegin = time.after(FIRST_WORD_WAIT_MS, () => this.#begin());
    else this.#begin();
    this.#metering.start();
    this.#link.start();
  }

  #begin(): void {
    if (this.#begun) return;
    this.#begun = true;
    this.#cancelBegin();
    this.#reconciler.start();
    this.#operations.resume();
  }

  /** @returns whether another try may fare better */
  #rejected({ code }: MessageOf<'reject'>): boolean {
    // Its guests are no longer its own.
    if (code === 'removed') this.#cancelBegin();
    return code === 'bad-signature' && this.#keys.refused();
  }

  /** Lets go of edge and machine; guests keep running. */
  async stop(): Promise<void> {
    this.#cancelBegin();
    this.#operations.stop();
    this.#intake.stop();
    this.#inventory.stop();
    this.#link.stop();
    let calm = () => {};
    const late = new Promise<void>((resolve) => {
      calm = this.#p.time.after(STOP_TIMEOUT_MS, resolve);
    });
    await Promise.race([this.#reconciler.stop(), late]);
    calm();
    await this.#metering.stop();
    await this.#p.machine.close();
    this.#p.ledger.close();
  }

  async #hello(challenge: MessageOf<'challenge'>, attempts: number): Promise<RunnerMessageOf<'hello'>> {
    const { identity, machine, ledger, bootId, processId, hostname } = this.#p;
    const { runner_id, machine_id } = identity;
    const [capacity, digest] = await Promise.all([machine.capacity(), ledger.digest()]);
    this.#capacity = capacity;
    return {
      type: 'hello',
      runner_id,
      signature: this.#keys.signHello({ nonce: challenge.nonce, runner_id, machine_id, boot_id: bootId }),
      machine_id,
      boot_id: bootId,
      process_id: processId,
      version: RUNNER_VERSION,
      protocol: [PROTOCOL_MIN, PROTOCOL_MAX],
      hypervisor: machine.hypervisor,
      hostname,
      capacity,
      capabilities: machine.capabilities,
      tunnel_ip: machine.tunnelIp,
      physical_networks: machine.physicalNetworks,
      generation: ledger.generation,
      digest,
      attempts,
    };
  }

  #ready(welcome: MessageOf<'welcome'>): void {
    this.#keys.welcomed();
    this.#p.onBearer(welcome.token);
    this.#edgeTime(welcome.server_time_ms);
    this.#intake.reset();
    this.#reporter.ready();
    this.#operations.ready();
    this.#metering.ready();
    if (!this.#begun && welcome.generation <= this.#p.ledger.generation) this.#begin();
    else if (this.#begun && this.#reconciler.idle) this.#idle();
  }

  #idle(): void {
    this.#reporter.idle();
    if (this.#link.status().state === 'ready') this.#inventory.start();
  }

  #down(): void {
    this.#reporter.down();
    this.#inventory.down();
    this.#metering.down();
  }

  #acked(seq: number): void {
    this.#keys.acked(seq);
    this.#reporter.acked(seq);
  }

  /** A message that cannot be handled must not end the runner: guests depend on it. */
  #message(message: EdgeMessage): void {
    try {
      this.#handle(message);
    } catch (error) {
      this.#p.log.error('message-failed', { type: message.type, error: errorText(error) });
    }
  }

  #handle(message: EdgeMessage): void {
    if (message.type === 'desired') this.#intake.take(message);
    else if (message.type === 'operation') this.#operations.take(message);
    else if (message.type === 'operation-ack') this.#operations.acknowledged(message);
    else if (message.type === 'query') this.#queries.take(message);
    else if (message.type === 'rotate') this.#rotate();
    else if (message.type === 'metered-ack') this.#metering.acked(message);
    else if (message.type === 'beat') {
      this.#edgeTime(message.server_time_ms);
      if (message.token !== undefined) this.#p.onBearer(message.token);
    }
  }

  #rotate(): void {
    this.#keys.rotationSent(this.#link.send(this.#keys.rotate(this.#link.nonce)));
    this.#p.log.info('key-offered');
  }

  #edgeTime(serverTimeMs: number): void {
    const aheadMs = serverTimeMs - this.#p.time.nowMs();
    if (Math.abs(aheadMs) > CLOCK_SKEW_WARN_MS && Math.abs(this.#edgeAheadMs) <= CLOCK_SKEW_WARN_MS)
      this.#p.log.warn('clock-skewed', { edgeAheadMs: aheadMs, next: 'set up time synchronization on this machine' });
    this.#edgeAheadMs = aheadMs;
    this.#metering.edgeTime(serverTimeMs);
  }

  #heartbeat(): RunnerMessageOf<'heartbeat'> {
    const { ledger, machine } = this.#p;
    const guests = [...ledger.objects.values()].filter(
      (one) => one.kind === 'server' && one.observation?.state === 'running',
    );
    const news = this.#capacityNews;
    this.#capacityNews = null;
    machine.capacity().then(
      (capacity) => this.#compareCapacity(capacity),
      (error: unknown) => this.#p.log.warn('capacity-unknown', { error: errorText(error) }),
    );
    return {
      type: 'heartbeat',
      generation: ledger.generation,
      guests: guests.length,
      ...(news ? { capacity: news } : {}),
    };
  }

  #compareCapacity(capacity: Capacity): void {
    if (JSON.stringify(capacity) === JSON.stringify(this.#capacity)) return;
    this.#capacity = capacity;
    this.#capacityNews = capacity;
  }
}
