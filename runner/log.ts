import type { Clock } from '../shared/clock.ts';

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];
type Fields = Record<string, unknown>;

/** One line of JSON an event; never a secret. Event names are kebab-case and constant, so that they can be searched. */
export interface Log {
  debug(event: string, fields?: Fields): void;
  info(event: string, fields?: Fields): void;
  warn(event: string, fields?: Fields): void;
  error(event: string, fields?: Fields): void;
  /** The same log with these fields in every line. */
  with(fields: Fields): Log;
}

/** Members that never reach a line, whoever passes them. */
const SECRET = /token|private|secret|password|signature|bearer/i;

/** A log that writes lines of at least the level given. */
export function jsonLog(
  clock: Clock,
  level: LogLevel,
  write: (line: string) => void = (line) => process.stdout.write(`${line}\n`),
  base: Fields = {},
): Log {
  const lowest = LOG_LEVELS.indexOf(level);
  const at =
    (name: LogLevel) =>
    (event: string, fields: Fields = {}) => {
      if (LOG_LEVELS.indexOf(name) < lowest) return;
      const line = { time: new Date(clock.nowMs()).toISOString(), level: name, event, ...base, ...fields };
      write(JSON.stringify(line, (key, value) => (SECRET.test(key) ? '[secret]' : value)));
    };
  return {
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    with: (fields) => jsonLog(clock, level, write, { ...base, ...fields }),
  };
}

/** What went wrong, for a line of log: the message and those of its causes. */
export function errorText(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause === undefined ? error.message : `${error.message}: ${errorText(error.cause)}`;
}
