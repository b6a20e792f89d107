import { createHash } from 'node:crypto';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { hostname } from 'node:os';
import { join as joinPath } from 'node:path';
import { Refusal } from '../../shared/refusal.ts';
import { machineSize } from '../host/facts.ts';
import type { Log } from '../log.ts';
import { SIMULATED_CAPACITY } from '../simulated/simulated-machine.ts';
import { readIdentity, writeIdentity } from '../state/identity.ts';
import { newKey, publicKeyOf } from '../state/keys.ts';
import { machineIdentity } from '../state/machine-identity.ts';
import { openStateFolder, statePaths } from '../state/state-folder.ts';
import { writeAtomically } from '../state/write-atomically.ts';
import { edgeUrlOf, enrol } from './enrol.ts';
import { type CliOptions, TOKEN_VARIABLE } from './options.ts';

/** Of `--count` runners. */
const JOINS_AT_ONCE = 16;

/**
 * Makes this machine (or as many simulated ones as asked for) a runner of the cloud at a URL. What has joined there
 * already is left as it is, so that the same command can be run again.
 * @throws Refusal
 */
export async function join(options: CliOptions, stateDir: string, log: Log): Promise<void> {
  const [url, token, ...more] = options.positionals;
  if (url === undefined || more.length > 0)
    throw new Refusal('join takes a URL and a token: join URL TOKEN. See --help.');
  const edgeUrl = edgeUrlOf(url);
  const tokens = tokensOf(options, token);
  const name = nameOf(options.name ?? hostname());
  if (options.count === 1) {
    await joinOne({ edgeUrl, stateDir, name, tokens, options, log });
    return;
  }
  const numbers = Array.from({ length: options.count }, (_, index) => String(index + 1).padStart(4, '0'));
  while (numbers.length > 0) {
    const some = numbers.splice(0, JOINS_AT_ONCE).map((digits) => {
      const folder = openStateFolder(joinPath(statePaths(stateDir).many, digits));
      return joinOne({ edgeUrl, stateDir: folder, name: `${name}-${digits}`, tokens, options, log });
    });
    await Promise.all(some);
  }
}

interface Joining {
  edgeUrl: string;
  stateDir: string;
  name: string;
  /** What is left of the tokens: each is taken by one runner. */
  tokens: string[];
  options: CliOptions;
  log: Log;
}

async function joinOne({ edgeUrl, stateDir, name, tokens, options, log }: Joining): Promise<void> {
  const token = tokens.shift();
  const known = readIdentity(stateDir);
  if (known) {
    if (known.edge_url !== edgeUrl && known.edge_url !== '')
      throw new Refusal(`${stateDir} joined ${known.edge_url} already: use another --state for ${edgeUrl}.`);
    log.info('joined-already', { runnerId: known.runner_id, name: known.name });
    return;
  }
  if (token === undefined)
    throw new Refusal(
      `A token is needed for ${name}: make one (POST ${edgeUrl}/aerostat/v1/join-tokens) and give it to join.`,
    );
  const key = pendingKey(stateDir);
  const machineId = machineIdentity(stateDir);
  const { hypervisor } = options;
  const capacity = hypervisor === 'simulated' ? SIMULATED_CAPACITY : await machineSize(stateDir);
  const runner = await enrol(edgeUrl, { token, name, publicKey: publicKeyOf(key), machineId, capacity, hypervisor });
  const mark = options.mark ?? `ae${createHash('sha256').update(runner.id).digest('hex').slice(0, 4)}`;
  writeIdentity(stateDir, {
    runner_id: runner.id,
    name,
    region: runner.region,
    edge_url: runner.edge_url ?? edgeUrl,
    hypervisor,
    machine_id: machineId,
    mark,
    private_key: key,
  });
  rmSync(statePaths(stateDir).pending, { force: true });
  log.info('joined', { runnerId: runner.id, name, region: runner.region, edgeUrl });
}

/** A host name, as the edge takes it. */
function nameOf(text: string): string {
  if (/^[A-Za-z0-9]([A-Za-z0-9.-]{0,253}[A-Za-z0-9])?$/.test(text)) return text;
  throw new Refusal(`${text} is no name for a runner: letters, digits, dots and dashes. Give one with --name.`);
}

/** The key that joins: kept before it is used, so that a join whose answer was lost can be repeated. */
function pendingKey(stateDir: string): string {
  const path = statePaths(stateDir).pending;
  if (existsSync(path)) return readFileSync(path, 'utf8').trim();
  const key = newKey();
  writeAtomically(path, `${key}\n`);
  return key;
}

function tokensOf(options: CliOptions, argument: string | undefined): string[] {
  if (options.tokenFile !== undefined) {
    try {
      return readFileSync(options.tokenFile, 'utf8')
        .split(/\s+/)
        .filter((token) => token !== '');
    } catch (error) {
      throw new Refusal(`The token file cannot be read: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  const token = argument ?? process.env[TOKEN_VARIABLE];
  return token ? [token] : [];
}
