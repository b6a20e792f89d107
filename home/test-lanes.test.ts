import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { runVitest, summary } from './test-lanes.ts';

/** Runs vitest on files of the test's own. */
function laneOf(files: Record<string, string>) {
  const root = mkdtempSync(join(tmpdir(), 'aerostat-lane-'));
  onTestFinished(() => rmSync(root, { recursive: true, force: true }));
  mkdirSync(join(root, 'tests'));
  const config = join(root, 'vitest.config.mjs');
  writeFileSync(config, 'export default { test: { globals: true, include: ["tests/*.mjs"] } };');
  for (const [name, text] of Object.entries(files)) writeFileSync(join(root, 'tests', name), text);
  return runVitest(['--root', root, '--config', config], 'ignore');
}

it('names every failure, wherever it happened, with the first line of its error', async () => {
  const report = await laneOf({
    'a.mjs': `
      it('passes', () => {});
      it('fails', () => { throw new Error('the reason\\nand more') });
      it.skip('is skipped', () => {});
      describe('a group', () => {
        it('fails inside', () => expect(1).toBe(2));
      });`,
    'broken.mjs': 'import "./missing.mjs"; it("never", () => {});',
    'hook.mjs':
      'describe("hooked", () => { afterAll(() => { throw new Error("not undone") }); it("passes", () => {}); });',
    'stray.mjs': `it('passes', () => new Promise((resolve) => {
      setTimeout(() => { setTimeout(resolve, 50); throw new Error('nobody caught this'); });
    }));`,
  });
  expect(report).toMatchObject({ passed: 3, skipped: 1 });
  expect(report.failures.sort((a, b) => a.what.localeCompare(b.what))).toEqual([
    { what: 'outside of any test', why: 'nobody caught this' },
    { what: 'tests/a.mjs > a group > fails inside', why: expect.stringContaining('expected 1 to be 2') },
    { what: 'tests/a.mjs > fails', why: 'the reason' },
    { what: 'tests/broken.mjs', why: expect.stringContaining('missing.mjs') },
    { what: 'tests/hook.mjs > hooked', why: 'not undone' },
  ]);
});

it('takes a lane without any test for a failure', async () => {
  expect((await laneOf({})).failures).toEqual([expect.objectContaining({ what: 'vitest' })]);
});

it('ends with the failed tests and then the totals, alone on their line', () => {
  const failures = [{ what: 'a.test.ts > works', why: 'expected 1 to be 2' }];
  const unit = { name: 'unit', passed: 3, skipped: 0, failures };
  const edge = { name: 'edge', passed: 4, skipped: 0, failures: [] };
  expect(summary([unit, edge])).toEqual({
    text: 'FAILED unit: a.test.ts > works: expected 1 to be 2\n7 passed, 1 failed, 0 skipped',
    good: false,
  });
  expect(summary([edge])).toEqual({ text: '4 passed, 0 failed, 0 skipped', good: true });
  expect(summary([{ ...edge, skipped: 1 }]).good).toBe(false);
  expect(summary([{ ...edge, passed: 0 }]).good).toBe(false);
});
