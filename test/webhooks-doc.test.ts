import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Webhook } from 'standardwebhooks';
import { afterAll, describe, expect, it } from 'vitest';
import { freePort } from '../home/free-port.ts';
import { until } from '../home/until.ts';
import { RETRY_DELAYS_MS } from '../worker/webhooks/limits.ts';

const ROOT = join(import.meta.dirname, '..');
const DOC = readFileSync(join(ROOT, 'docs/webhooks.md'), 'utf8');
const SECRET = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
const START_TIMEOUT_MS = 30_000;
const folder = mkdtempSync(join(tmpdir(), 'aerostat-doc-'));
const running: ChildProcess[] = [];
afterAll(() => {
  for (const process of running) process.kill();
  rmSync(folder, { recursive: true, force: true });
});

/** The only block of a language in the document. */
function block(language: string): string {
  const found = [...DOC.matchAll(new RegExp(`\`\`\`${language}\\n([\\s\\S]*?)\`\`\``, 'g'))];
  if (found.length !== 1) throw new Error(`${found.length} blocks of ${language}`);
  return found[0]?.[1] ?? '';
}

/** A receiver of the document in a process of its own. */
async function start(file: string, language: string, command: string) {
  writeFileSync(join(folder, file), block(language));
  const port = await freePort();
  const env = { ...process.env, PORT: String(port), WEBHOOK_SECRET: SECRET };
  const child = spawn(command, [join(folder, file)], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  running.push(child);
  let said = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  const post = async (headers: Record<string, string>, body: string) =>
    (await fetch(`http://127.0.0.1:${port}/hooks`, { method: 'POST', headers, body })).status;
  await until(file, START_TIMEOUT_MS, async () => (await post({}, '{}')) === 401);
  return { post, said: () => said };
}

const body = JSON.stringify({ type: 'server.stopped', resource_id: 'r', version: 7, data: { name: 'ü' } });
function signed(id: string, at = new Date()) {
  const signature = new Webhook(SECRET).sign(id, at, body);
  return {
    ...{ 'webhook-id': id, 'webhook-timestamp': String(Math.floor(at.getTime() / 1000)) },
    'webhook-signature': `v1,AAAA ${signature}`,
  };
}

describe('the receiver of docs/webhooks.md', () => {
  it.each([
    ['receiver.mjs', 'js', process.execPath],
    ['receiver.py', 'python', 'python3'],
  ])('%s takes what is signed, once, and nothing else', async (file, language, command) => {
    if (file.endsWith('.mjs')) symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
    const { post, said } = await start(file, language, command);
    expect(await post(signed('evt_1'), body)).toBe(204);
    expect(await post(signed('evt_1'), body)).toBe(204);
    expect(await post(signed('evt_2'), body.replace('7', '8'))).toBe(401);
    expect(await post({ ...signed('evt_2'), 'webhook-id': 'evt_3' }, body)).toBe(401);
    expect(await post(signed('evt_4', new Date(Date.now() - 600_000)), body)).toBe(401);
    await expect.poll(said).toBe('server.stopped r 7\n');
  });
});

it('publishes the ladder as it is', () => {
  const row = /^\| after the one before \|(.*)\|$/m.exec(DOC)?.[1] ?? '';
  const unit = { s: 1_000, min: 60_000, h: 3_600_000 } as const;
  const delays = row.split('|').map((cell) => {
    const [, count, of] = /^(\d+) (s|min|h)$/.exec(cell.trim()) ?? [];
    return count ? Number(count) * unit[of as keyof typeof unit] : 0;
  });
  expect(delays).toEqual(RETRY_DELAYS_MS);
});
