import { jsonLog, type Log } from '../log.ts';

export interface LoggedLine extends Record<string, unknown> {
  level: string;
  event: string;
}

/** A log that keeps its lines. */
export function capturedLog(): Log & { lines: LoggedLine[]; events(): string[] } {
  const lines: LoggedLine[] = [];
  const log = jsonLog({ nowMs: () => 0 }, 'debug', (line) => lines.push(JSON.parse(line) as LoggedLine));
  return { ...log, lines, events: () => lines.map((line) => line.event) };
}
