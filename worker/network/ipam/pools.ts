import type { AllocationPool } from '../../../db/schema/network.ts';
import {
  addressAt,
  type Cidr,
  contains,
  formatCidr,
  formatIp,
  offsetOf,
  parseIp,
  sizeOf,
} from '../../../shared/cidr.ts';
import { badRequest, conflict } from '../../http/errors.ts';
import { invalidInput } from '../api/values.ts';
import { HOST_OFFSET_MAX } from './address-picks.ts';

/** A pool as a client names it. */
export interface PoolRange {
  start: string;
  end: string;
}

const OFFSET_MAX = BigInt(HOST_OFFSET_MAX);

/**
 * The pools of a subnet that names none: all its addresses but the network's, the broadcast's (IPv4) and the gateway's, as
 * far as host offsets are kept exactly: in an IPv6 subnet larger than 2^53 addresses, the first 2^53.
 */
export function defaultPools(cidr: Cidr, gatewayIp: string | null): AllocationPool[] {
  const { first, last: lastHost } = hostOffsets(cidr);
  const last = lastHost > OFFSET_MAX ? OFFSET_MAX : lastHost;
  const gateway = gatewayIp === null ? null : parseIp(gatewayIp);
  const gap = gateway && contains(cidr, gateway) ? offsetOf(cidr, gateway) : null;
  if (gap === null || gap < first || gap > last) return [pool(cidr, first, last)];
  const sides: [bigint, bigint][] = [
    [first, gap - 1n],
    [gap + 1n, last],
  ];
  return sides.filter(([from, to]) => from <= to).map(([from, to]) => pool(cidr, from, to));
}

/**
 * The pools that a client names, checked and in order.
 * @throws ApiError 400 not of the subnet, backwards, or past the offsets we keep; 409 overlapping, or with the gateway in one
 */
export function checkedPools(cidr: Cidr, gatewayIp: string | null, ranges: PoolRange[]): AllocationPool[] {
  const pools = ranges.map((range) => checkedPool(cidr, range)).sort((a, b) => a.first - b.first);
  for (const [index, one] of pools.entries()) {
    const next = pools[index + 1];
    if (next && next.first <= one.last) {
      throw conflict(
        `Found overlapping allocation pools: ${named(one)} ${named(next)} for subnet ${formatCidr(cidr)}.`,
        'OverlappingAllocationPools',
      );
    }
  }
  if (gatewayIp !== null) refuseGatewayIn(cidr, gatewayIp, pools);
  return pools;
}

/** @throws ApiError 409 where the gateway's address could be handed out */
export function refuseGatewayIn(cidr: Cidr, gatewayIp: string, pools: AllocationPool[]): void {
  const gateway = parseIp(gatewayIp);
  if (!gateway || !contains(cidr, gateway)) return;
  const offset = offsetOf(cidr, gateway);
  const hit = pools.find((one) => BigInt(one.first) <= offset && offset <= BigInt(one.last));
  if (!hit) return;
  throw conflict(
    `Gateway ip ${gatewayIp} conflicts with allocation pool ${named(hit)}.`,
    'GatewayConflictWithAllocationPools',
  );
}

function checkedPool(cidr: Cidr, range: PoolRange): AllocationPool {
  const start = parseIp(range.start);
  const end = parseIp(range.end);
  if (!start || !end || start.version !== cidr.version || end.version !== cidr.version || start.value > end.value) {
    throw badRequest(`The allocation pool ${named(range)} is not valid.`, 'InvalidAllocationPool');
  }
  const { first, last } = hostOffsets(cidr);
  if (start.value < cidr.base + first || end.value > cidr.base + last) {
    throw badRequest(
      `The allocation pool ${named(range)} spans beyond the subnet cidr ${formatCidr(cidr)}.`,
      'OutOfBoundsAllocationPool',
    );
  }
  if (offsetOf(cidr, start) > OFFSET_MAX) {
    throw invalidInput(
      `The allocation pool ${named(range)} begins after ${addressAt(cidr, OFFSET_MAX)}: the first 2^53 addresses of a subnet are handed out`,
    );
  }
  const ended = offsetOf(cidr, end);
  // It is shown as it was sent.
  return { ...pool(cidr, offsetOf(cidr, start), ended > OFFSET_MAX ? OFFSET_MAX : ended), end: formatIp(end) };
}

/** The first and the last offset that a host may have. */
function hostOffsets(cidr: Cidr): { first: bigint; last: bigint } {
  const last = sizeOf(cidr) - 1n;
  if (cidr.version === 4) return cidr.prefix <= 30 ? { first: 1n, last: last - 1n } : { first: 0n, last };
  return { first: last === 0n ? 0n : 1n, last };
}

const pool = (cidr: Cidr, first: bigint, last: bigint): AllocationPool => ({
  start: formatIp({ version: cidr.version, value: cidr.base + first }),
  end: formatIp({ version: cidr.version, value: cidr.base + last }),
  first: Number(first),
  last: Number(last),
});

const named = (range: PoolRange): string => `${range.start}-${range.end}`;
