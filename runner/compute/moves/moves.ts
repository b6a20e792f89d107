import { chown, rm } from 'node:fs/promises';
import type { IncomingGuest, ServerSpec } from '../../../shared/specs/server.ts';
import { DriverError, type OperationHooks, type Outcome } from '../../driver.ts';
import type { ComputeContext } from '../context.ts';
import { guestPaths } from '../guest-paths.ts';
import { NEW_GUEST } from '../guest-record.ts';
import { type Guests, isHandedOver } from '../guests.ts';
import type { LiveGuest } from '../live-guest.ts';
import { prepareGuest } from '../start-guest.ts';
import type { Found, Wish } from '../wish.ts';
import { DiskReceiver, sendDisk } from './disk-line.ts';
import { giveKey, takeKey } from './move-keys.ts';
import { freePorts } from './ports.ts';
import { arrived, receiveGuest, unmoved, waiting } from './receive-guest.ts';
import { callOffMove, type SendArguments, sendGuest } from './send-guest.ts';

/**
 * Guests that come from other machines and go to others. Which machine may run a guest is the edge's to say, by the epoch
 * (docs/protocol.md, Moves): one that was handed over runs here again only in a higher epoch, and one that has come runs
 * only once its spec says that it is this machine's.
 */
export class Moves {
  readonly #ctx: ComputeContext;
  readonly #guests: Guests;
  readonly #receivers = new Map<string, { moveId: string; receiver: DiskReceiver; outcome: Outcome }>();
  readonly #forced = new Set<string>();

  constructor(ctx: ComputeContext, guests: Guests) {
    this.#ctx = ctx;
    this.#guests = guests;
  }

  /**
   * What a move asks of a guest before all else.
   * @returns the outcome where nothing else may be done, or what is found now
   */
  async settle(wish: Wish, found: Found): Promise<{ outcome: Outcome } | Found> {
    const { spec, generation } = wish;
    if (spec.incoming) return { outcome: await this.#receive({ ...wish, incoming: spec.incoming }, found) };
    this.stopReceiving(spec.id);
    const { record, live } = found;
    if (isHandedOver(record, spec)) {
      await this.#guests.keep(spec.id, { ...record, generation });
      return { outcome: handedOver(spec) };
    }
    if (record.handed_over === null && record.incoming === null) return found;
    // It was given back, or it is this machine's now.
    const whole = live && record.incoming ? await arrived(this.#ctx, this.#guests, live) : true;
    if (record.handed_over !== null) await takeKey(live, guestPaths(this.#ctx.stateDir, spec.id));
    const settled = { ...record, handed_over: null, incoming: null, epoch: spec.epoch };
    await this.#guests.keep(spec.id, settled);
    if (!whole) return { record: await this.#guests.recordDown(spec.id, 'crash'), live: null };
    return { record: settled, live };
  }

  /** What is seen of a guest that is on its way; null where none is. */
  describe(spec: ServerSpec | undefined, { record, live }: Found): Outcome | null {
    if (!spec) return null;
    if (spec.incoming) {
      const receiving = this.#receivers.get(spec.id);
      if (receiving) return receiving.outcome;
      if (record.incoming === null) return null;
      return live ? waiting(record) : { state: 'failed', fault: gone };
    }
    return isHandedOver(record, spec) ? handedOver(spec) : null;
  }

  async #receive(wish: Wish & { incoming: IncomingGuest }, found: Found): Promise<Outcome> {
    const { spec, incoming } = wish;
    if (incoming.what === 'memory') {
      return receiveGuest(this.#ctx, this.#guests, wish, found);
    }
    const known = this.#receivers.get(spec.id);
    if (known?.moveId === incoming.move_id) return known.outcome;
    this.stopReceiving(spec.id);
    if (found.live) await this.#guests.end(found.live);
    const record = await this.#guests.dropDisk(spec, unmoved({ ...found.record, generation: wish.generation }));
    // Base, kernel and ramdisk as for a start; the disk comes.
    await prepareGuest(this.#ctx, spec, wish.signal);
    const paths = guestPaths(this.#ctx.stateDir, spec.id);
    await rm(paths.disk, { force: true });
    const address = await this.#ctx.moveAddress();
    const [port = 0] = await freePorts(address, 1, this.#ctx.random);
    const { user } = this.#ctx;
    const receiver = await DiskReceiver.open({
      ...{ address, port, key: incoming.key, path: paths.disk },
      finish: (part) => chown(part, user.uid, user.gid),
    });
    await this.#guests.keep(spec.id, { ...record, image_sha256: spec.image.sha256 });
    const at = { move_id: incoming.move_id, address, disk_port: port, memory_port: port };
    const outcome = waiting({ incoming: at });
    this.#receivers.set(spec.id, { moveId: incoming.move_id, receiver, outcome });
    return outcome;
  }

  stopReceiving(id: string): void {
    this.#receivers.get(id)?.receiver.close();
    this.#receivers.delete(id);
  }

  close(): void {
    for (const id of this.#receivers.keys()) this.stopReceiving(id);
  }

  /** Has a guest that is being sent stand still, so that what is left to send gets no more. @throws DriverError 404 */
  force(id: string): void {
    if (!this.#sending.has(id)) throw new DriverError(`Server ${id} is not on its way`, { code: 404 });
    this.#forced.add(id);
  }
  readonly #sending = new Set<string>();

  /** Sends a running guest away. When this returns another machine has it. @throws DriverError and it goes on here */
  async sendGuest(spec: ServerSpec, move: SendArguments, hooks: OperationHooks): Promise<void> {
    const { id } = spec;
    const live = await this.#guests.find(id);
    const record = (await this.#guests.record(id)) ?? NEW_GUEST;
    const begun = record.handed_over === move.epoch;
    if (!live)
      throw new DriverError('The guest does not run, so it cannot be moved as it runs', { code: begun ? 410 : 409 });
    if (await callOffMove(live)) {
      // An earlier process of this runner began it, and did not live to say so.
      if (begun) return;
      throw new DriverError('The guest stands still after a move that is not this one', { code: 409 });
    }
    if (begun || !(await runs(live))) throw new DriverError('The move was cut short when the runner ended');
    const paths = guestPaths(this.#ctx.stateDir, id);
    this.#sending.add(id);
    live.moving = true;
    try {
      await giveKey(live, { paths, user: this.#ctx.user, key: move.key, endpoint: 'client' });
      const handOver = async () => {
        const now = (await this.#guests.record(id)) ?? record;
        await this.#guests.keep(id, { ...now, handed_over: move.epoch });
      };
      await sendGuest(live, move, { ...hooks, handOver, forced: () => this.#forced.has(id) }, hasDisk(spec));
    } finally {
      live.moving = false;
      this.#sending.delete(id);
      this.#forced.delete(id);
      await takeKey(live, paths).catch(() => {});
    }
  }

  /** Turns a guest off and sends its disk away. When this returns another machine has it. @throws DriverError */
  async sendDisk(spec: ServerSpec, move: SendArguments, hooks: OperationHooks): Promise<void> {
    const { id } = spec;
    const record = await this.#guests.record(id);
    if (!record) throw new DriverError('The server has no disk here', { code: 404 });
    await this.#guests.keep(id, { ...record, handed_over: move.epoch });
    const live = await this.#guests.find(id);
    if (live) await this.#guests.stop(live, hooks.signal);
    await this.#guests.keep(id, { ...record, handed_over: move.epoch, process: null, down: null });
    if (!hasDisk(spec)) return;
    const { disk } = guestPaths(this.#ctx.stateDir, id);
    const progress = (sent: number, total: number) =>
      hooks.progress({
        ...{ memory_total_bytes: 0, memory_processed_bytes: 0, memory_remaining_bytes: 0 },
        ...{ disk_total_bytes: total, disk_processed_bytes: sent, disk_remaining_bytes: total - sent },
      });
    const { address, disk_port: port, key } = move;
    await sendDisk({ path: disk, address, port, key, signal: hooks.signal, progress });
  }
}

const gone = { code: 410, message: 'The process that waited for the guest ended' };
const hasDisk = (spec: ServerSpec) => spec.image.disk_format !== 'iso';
const runs = async (live: LiveGuest) => ['running', 'paused'].includes(await live.status());

/** Another machine has it: what is here is kept, and stands still. */
const handedOver = (spec: ServerSpec): Outcome =>
  spec.power === 'off' ? { state: 'stopped' } : { state: 'working', detail: { handed_over: true } };
