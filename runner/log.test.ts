import { expect, it } from 'vitest';
import { errorText, jsonLog } from './log.ts';

const clock = { nowMs: () => Date.UTC(2026, 0, 2) };

it('writes one line of JSON an event, with the fields of its own and those given', () => {
  const lines: string[] = [];
  jsonLog(clock, 'info', (line) => lines.push(line))
    .with({ runner: 'r1' })
    .warn('link-down', { reason: 'cut\nin two' });
  expect(lines).toHaveLength(1);
  expect(lines[0]).not.toContain('\n');
  expect(JSON.parse(lines[0] ?? '')).toEqual({
    time: '2026-01-02T00:00:00.000Z',
    level: 'warn',
    event: 'link-down',
    runner: 'r1',
    reason: 'cut\nin two',
  });
});

it('leaves out what is below its level, and never writes a secret', () => {
  const lines: string[] = [];
  const log = jsonLog(clock, 'warn', (line) => lines.push(line));
  log.debug('a');
  log.info('b');
  log.error('c', { token: 'hunter2', deep: { private_key: 'hunter2', bearer: 'hunter2', kept: 1 } });
  expect(lines).toHaveLength(1);
  expect(lines[0]).not.toContain('hunter2');
  expect(lines[0]).toContain('"kept":1');
});

it('tells causes too', () => {
  expect(errorText(new Error('a', { cause: new Error('b') }))).toBe('a: b');
  expect(errorText('text')).toBe('text');
});
