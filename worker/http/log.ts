import type { Clock } from '../../shared/clock.ts';
import type { Log } from './context.ts';

/** A log of JSON lines on the console, each with the fields given. */
export function consoleLog(clock: Clock, fields: Record<string, unknown>): Log {
  const write = (level: 'info' | 'error', event: string, more: Record<string, unknown> = {}) =>
    console[level](JSON.stringify({ time: new Date(clock.nowMs()).toISOString(), level, event, ...fields, ...more }));
  return {
    info: (event, more) => write('info', event, more),
    error: (event, more) => write('error', event, more),
  };
}
