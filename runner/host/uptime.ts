import { loadavg, uptime } from 'node:os';
import { type Clock, systemClock } from '../../shared/clock.ts';

const MINUTE_S = 60;
const HOUR_S = 3600;
const DAY_S = 86_400;

const two = (value: number) => String(Math.floor(value)).padStart(2, '0');

/** How long the machine is up and how busy it is, as the command `uptime` prints it, in UTC. */
export function uptimeText(of: { nowMs: number; upS: number; load: readonly number[] }): string {
  const days = Math.floor(of.upS / DAY_S);
  const hours = Math.floor((of.upS % DAY_S) / HOUR_S);
  const since = `${hours}:${two((of.upS % HOUR_S) / MINUTE_S)}`;
  const up = days > 0 ? `${days} day${days === 1 ? '' : 's'}, ${since}` : since;
  const load = of.load.map((value) => value.toFixed(2)).join(', ');
  return ` ${new Date(of.nowMs).toISOString().slice(11, 19)} up ${up},  0 users,  load average: ${load}`;
}

/** The same of this machine, now. */
export const machineUptime = (clock: Clock = systemClock): string =>
  uptimeText({ nowMs: clock.nowMs(), upS: uptime(), load: loadavg() });
