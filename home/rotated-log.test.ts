import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { RotatedLog } from './rotated-log.ts';

it('keeps two files at most, each within the limit', () => {
  const folder = mkdtempSync(join(tmpdir(), 'aerostat-log-'));
  const log = new RotatedLog(join(folder, 'log'), 100);
  for (let line = 0; line < 50; line += 1) log.write(`line ${line}\n`);
  log.close();
  expect(statSync(join(folder, 'log')).size).toBeLessThanOrEqual(100);
  expect(statSync(join(folder, 'log.1')).size).toBeLessThanOrEqual(100);
  expect(readFileSync(join(folder, 'log'), 'utf8')).toContain('line 49\n');
  rmSync(folder, { recursive: true, force: true });
});
