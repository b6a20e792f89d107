import { badRequest } from '../../http/errors.ts';
import { LIVE_RESOURCES_MAX } from '../limits.ts';
import type { LiveFrom } from './arrivals.ts';

/** Where a reader is with each machine: the number of the last arrival that it has, and when that came. */
export type Positions = Map<string, { n: number; atMs: number }>;

const POSITION = /^(\d{1,15})\.(\d{1,15})\.([0-9a-f-]{36})$/;

/** An event's `id`, from which its reader goes on. */
export const idOf = (positions: Positions): string =>
  [...positions].map(([runnerId, { n, atMs }]) => `${n}.${atMs}.${runnerId}`).join(',');

/** The header `Last-Event-ID`. @throws ApiError 400 for what is no id of ours */
export function positionsOf(header: string): Positions {
  const parts = header.split(',');
  const found = parts.map((part) => POSITION.exec(part));
  if (parts.length > LIVE_RESOURCES_MAX || found.some((match) => match === null))
    throw badRequest('Invalid input for Last-Event-ID: it is no id of this stream.');
  return new Map(found.map((match) => [match?.[3] ?? '', { n: Number(match?.[1]), atMs: Number(match?.[2]) }]));
}

/**
 * Where a machine's points go on. Of one that the reader was not with, as after a move, it is what came since it last had
 * anything: of the machine that it had heard of least lately, so that nothing is left out.
 */
export function fromOf(positions: Positions | null, runnerId: string): LiveFrom | null {
  if (positions === null) return null;
  const own = positions.get(runnerId);
  return own ?? { n: null, atMs: Math.min(...[...positions.values()].map(({ atMs }) => atMs)) };
}
