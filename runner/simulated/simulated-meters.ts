import { createHash } from 'node:crypto';
import type { Sample } from '../../shared/protocol/messages.ts';
import type { FloatingIpSpec } from '../../shared/specs/router.ts';
import type { ServerSpec } from '../../shared/specs/server.ts';
import { epochOf } from '../metering/epoch-of.ts';
import type { Held } from './simulated-store.ts';

const MIB = 1024 * 1024;
const NS_PER_MS = 1_000_000;
/** The most that a simulated resource does: the share of its processors and memory, and bytes of its disk and its port a second. */
const BUSY_MAX = 0.6;
const DISK_BYTES_PER_S_MAX = 2_000_000;
const PORT_BYTES_PER_S_MAX = 5_000_000;
const BYTES_PER_REQUEST = 16_384;
const BYTES_PER_PACKET = 800;
/** Of what a port moves; the rest stays between guests. */
const PUBLIC_SHARE = 0.25;

/** What rates are for, each with its place in a hash. */
const PURPOSES = ['cpu', 'memory', 'read', 'written', 'in', 'out'] as const;
type Shares = Record<(typeof PURPOSES)[number], number>;
/** What is the same at each sample of an object; objects are replaced when they change. */
const known = new WeakMap<Held, { shares: Shares; spec: unknown }>();

/** Numbers in [0, 1) that are always the same for a resource. */
function sharesOf(id: string): Shares {
  const hash = createHash('sha256').update(id).digest();
  return Object.fromEntries(PURPOSES.map((purpose, at) => [purpose, hash.readUInt32BE(4 * at) / 2 ** 32])) as Shares;
}

/** Of a floating IP the numbers are those of its port. */
function constantsOf(held: Held): { shares: Shares; spec: unknown } {
  const made = known.get(held);
  if (made) return made;
  const spec: unknown = held.kind === 'port' ? null : JSON.parse(held.spec);
  const id = held.kind === 'floating-ip' ? (spec as FloatingIpSpec).port_id : held.id;
  const constants = { shares: sharesOf(id), spec };
  known.set(held, constants);
  return constants;
}

/**
 * What the guests, ports and floating IPs of a simulated machine seem to have used: each at its own constant rate, which only
 * its id decides, since it began. Of the same objects at the same time it is always the same.
 */
export function simulatedSamples(of: {
  held: Iterable<Held>;
  bootId: string;
  runnerId: string;
  nowMs: number;
}): Sample[] {
  const { bootId, nowMs } = of;
  const samples: Sample[] = [];
  let guests = 0;
  for (const held of of.held) {
    const { sinceMs = nowMs } = held;
    const epoch = epochOf(bootId, sinceMs);
    const upMs = Math.max(0, nowMs - sinceMs);
    if (held.kind === 'server' && (held.power === 'on' || held.power === 'paused')) {
      guests++;
      const { shares, spec } = constantsOf(held);
      samples.push({ type: 'server', id: held.id, epoch, values: serverValues(spec as ServerSpec, shares, upMs) });
    } else if (held.kind === 'port') {
      const { shares } = constantsOf(held);
      samples.push({ type: 'port', id: held.id, epoch, values: portValues(shares, upMs) });
    } else if (held.kind === 'floating-ip') {
      const { shares } = constantsOf(held);
      const values = {
        'floating_ip.egress.bytes': moved(shares.out, upMs, PUBLIC_SHARE),
        'floating_ip.ingress.bytes': moved(shares.in, upMs, PUBLIC_SHARE),
      };
      samples.push({ type: 'floating_ip', id: held.id, epoch, values });
    }
  }
  const values = { 'host.memory.used': guests * 64 * MIB, 'host.disk.used': guests * 1024 * MIB };
  return [...samples, { type: 'runner', id: of.runnerId, epoch: epochOf(bootId), values }];
}

function serverValues({ vcpus, memory_mib }: ServerSpec, shares: Shares, upMs: number): Sample['values'] {
  const read = amount(shares.read * DISK_BYTES_PER_S_MAX, upMs);
  const written = amount(shares.written * DISK_BYTES_PER_S_MAX, upMs);
  return {
    'cpu.time': Math.floor(shares.cpu * BUSY_MAX * vcpus * upMs) * NS_PER_MS,
    'memory.usage': Math.floor(shares.memory * BUSY_MAX * memory_mib) * MIB,
    'disk.read.bytes': read,
    'disk.write.bytes': written,
    'disk.read.requests': Math.floor(read / BYTES_PER_REQUEST),
    'disk.write.requests': Math.floor(written / BYTES_PER_REQUEST),
  };
}

function portValues(shares: Shares, upMs: number): Sample['values'] {
  const [incoming, outgoing] = [moved(shares.in, upMs), moved(shares.out, upMs)];
  return {
    'network.incoming.bytes': incoming,
    'network.outgoing.bytes': outgoing,
    'network.incoming.packets': Math.floor(incoming / BYTES_PER_PACKET),
    'network.outgoing.packets': Math.floor(outgoing / BYTES_PER_PACKET),
    'public.ingress.bytes': moved(shares.in, upMs, PUBLIC_SHARE),
    'public.egress.bytes': moved(shares.out, upMs, PUBLIC_SHARE),
  };
}

const moved = (of: number, upMs: number, share = 1) => amount(of * PORT_BYTES_PER_S_MAX * share, upMs);
const amount = (perSecond: number, upMs: number) => Math.floor((perSecond * upMs) / 1000);
