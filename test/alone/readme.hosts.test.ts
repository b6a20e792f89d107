import { type ChildProcess, spawn } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { until } from '../../home/until.ts';
import { run } from '../../runner/host/run.ts';
import { Refusal } from '../../shared/refusal.ts';
import { type Machine, openMachine } from '../machine.ts';
import { shellBlocks } from '../readme-blocks.ts';

const ROOT = join(import.meta.dirname, '../..');
const START_TIMEOUT_MS = 200_000;
const PORT = 8774;
const LEAVES_OUT = /^(\.git|\.aerostat|\.cache|\.wrangler)$/;

let clone: string;
const groups: ChildProcess[] = [];
let second: Machine | undefined;

/** The checkout as it is, packages linked rather than copied. */
beforeAll(async () => {
  clone = mkdtempSync(join(tmpdir(), 'aerostat-readme-'));
  const { stdout } = await run('git', ['-C', ROOT, 'ls-files', '-co', '--exclude-standard']);
  for (const file of stdout.split('\n').filter((name) => name && !LEAVES_OUT.test(name)))
    cpSync(join(ROOT, file), join(clone, file));
  await run('cp', ['-al', join(ROOT, 'node_modules'), join(clone, 'node_modules')]);
});
afterAll(async () => {
  for (const child of groups) await endGroup(child);
  await shell('npm run stop');
  await second?.close();
  rmSync(clone, { recursive: true, force: true });
});

const environment = { ...process.env, PATH: `/usr/sbin:/usr/bin:/sbin:/bin:${process.env.PATH}` };
const shell = async (code: string) =>
  (await run('bash', ['-euo', 'pipefail', '-c', code], { cwd: clone, env: environment, timeout_ms: 120_000 })).stdout;

function background(command: string, args: string[]): { child: ChildProcess; output: () => string } {
  // A group of its own, so that all of it can be ended, whatever npm puts in between.
  const child = spawn(command, args, {
    cwd: clone,
    env: environment,
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  groups.push(child);
  let text = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (chunk: Buffer) => {
      text += chunk.toString();
    });
  }
  return { child, output: () => text };
}

/** Ends a process and all that it started; resolves when the last of them is gone. */
async function endGroup(child: ChildProcess): Promise<void> {
  if (child.stdout?.closed) return;
  const gone = new Promise((resolve) => child.once('close', resolve));
  process.kill(-(child.pid ?? 0), 'SIGTERM');
  await gone;
}

it('leads a newcomer from a clone to a cloud of two machines and back', async () => {
  const blocks = shellBlocks(join(ROOT, 'README.md'))
    .filter((block) => block.marker === 'test/alone/readme.hosts.test.ts')
    .map((block) => block.code);
  const [start = '', look = '', stop = '', token = '', join2 = ''] = blocks;
  expect(blocks).toHaveLength(5);

  const cloud = background('bash', ['-c', start]);
  await until('the cloud', START_TIMEOUT_MS, async () => {
    if (cloud.child.exitCode !== null) throw new Refusal(cloud.output());
    return cloud.output().includes('The cloud is up');
  });
  const seen = await shell(look);
  expect(seen).toMatch(/first-guest\s*\|\s*ACTIVE/);
  expect(seen).toContain('ready hostname=first-guest');

  const made = JSON.parse(await shell(`. .aerostat/openrc\n${token}`)) as { join_token: { token: string } };
  second = await openMachine({ port: PORT });
  // Another machine has another name, and a state folder of its own.
  const elsewhere = `hostname second; mkdir -p /var/lib/aerostat; mount -t tmpfs none /var/lib/aerostat; export URL=${second.edgeUrl} TOKEN=${made.join_token.token}; ${join2}`;
  const runner = background('ip', [
    'netns',
    'exec',
    second.netns,
    'unshare',
    '--mount',
    '--uts',
    'bash',
    '-c',
    elsewhere,
  ]);
  await until('the second machine', START_TIMEOUT_MS, async () => {
    if (runner.child.exitCode !== null) throw new Refusal(runner.output());
    return (
      await shell('. .aerostat/openrc; openstack hypervisor list -f value -c "Hypervisor Hostname" -c State')
    ).includes('second up');
  });
  await endGroup(runner.child);
  await shell(stop);
  await until('the end', START_TIMEOUT_MS, async () => cloud.child.exitCode !== null);
  expect(readFileSync(join(clone, '.aerostat/openrc'), 'utf8')).toContain('OS_PASSWORD');
});
