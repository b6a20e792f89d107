import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import ipaddr from 'ipaddr.js';
import { Refusal } from '../shared/refusal.ts';
import { buildGuest } from '../test/guest/build-guest.ts';
import { parseCompliance } from '../worker/identity/users/security-compliance.ts';
import { type ApiClient, login } from './api-client.ts';
import { writeCredentials } from './credentials.ts';
import { bootFirstGuest, proveFirstGuest } from './first-guest.ts';
import { markOf, type StatePaths, statePaths } from './paths.ts';
import { checkPreconditions } from './preconditions.ts';
import { forgetRunning, writeRunning } from './running.ts';
import { loadSecrets, type Secrets } from './secrets.ts';
import { seed } from './seed.ts';
import { type Edge, startEdge } from './start-edge.ts';
import { describeRunner, startRunner } from './start-runner.ts';
import { Steps } from './steps.ts';
import type { Supervisor } from './supervise.ts';

const HELP = `npm start [-- OPTIONS]: a whole cloud on this machine, in the foreground; Ctrl-C stops it, guests keep running.

  --state DIR      where its data lives            (.aerostat)
  --port N         where the API listens           (8774)
  --host ADDRESS   on which address                (127.0.0.1; 0.0.0.0 lets other machines join)
  --public-url URL what clients and runners use    (http://HOST:PORT)
  --region NAME    the region's name               (RegionOne)
  --cidr CIDR      guests of the shared network    (10.77.0.0/24)
  --import-allow CIDRS  where images may be downloaded from, beside public addresses; divided by commas
  --sso-allow CIDRS     where identity providers may be, beside public addresses; divided by commas
  --webhook-allow CIDRS for development: where webhooks may go, beside public addresses, over HTTP, too
  --trusted-dashboard URLS  dashboards that single sign-on may hand a token to; divided by commas
  --security-compliance JSON  rules for passwords and lock-outs: options of Keystone's [security_compliance]
  --no-runner      the control plane alone
  --no-guest       everything but the first guest`;

const options = {
  state: { type: 'string', default: '.aerostat' },
  port: { type: 'string', default: '8774' },
  host: { type: 'string', default: '127.0.0.1' },
  'public-url': { type: 'string', default: '' },
  region: { type: 'string', default: 'RegionOne' },
  cidr: { type: 'string', default: '10.77.0.0/24' },
  'import-allow': { type: 'string', default: '' },
  'sso-allow': { type: 'string', default: '' },
  'webhook-allow': { type: 'string', default: '' },
  'trusted-dashboard': { type: 'string', default: '' },
  'security-compliance': { type: 'string', default: '' },
  'no-runner': { type: 'boolean', default: false },
  'no-guest': { type: 'boolean', default: false },
  help: { type: 'boolean', default: false },
} as const;

/** `npm start`: brings up a cloud, proves that a guest answers, and stays until it is told to stop. */
export async function start(args: string[]): Promise<number> {
  const { values } = parseArgs({ args, options });
  if (values.help) {
    console.log(HELP);
    return 0;
  }
  const port = Number(values.port);
  if (!Number.isInteger(port) || port < 1 || port > 65535) throw new Refusal(`--port ${values.port} is no port.`);
  const paths = statePaths(resolve(values.state));
  await checkPreconditions(paths, values.host, port);
  const url = values['public-url'] || `http://${values.host === '0.0.0.0' ? '127.0.0.1' : values.host}:${port}`;
  const mark = markOf(paths.stateDir);
  await writeRunning(paths.running, { url, mark });
  const secrets = loadSecrets(paths.secrets);
  const steps = new Steps();
  let stopping = false;
  const stopped = untilSignal().then(() => {
    stopping = true;
  });
  let edge: Edge | undefined;
  let runner: Supervisor | undefined;
  try {
    steps.begin('Starting the database and the API');
    edge = await startEdge({
      ...{ paths, secrets, host: values.host, port, publicUrl: url, region: values.region },
      importAllow: cidrsOf('--import-allow', values['import-allow']),
      ssoAllow: cidrsOf('--sso-allow', values['sso-allow']),
      webhookAllow: cidrsOf('--webhook-allow', values['webhook-allow']),
      trustedDashboards: values['trusted-dashboard'].split(',').filter(Boolean),
      securityCompliance: complianceOption(values['security-compliance']),
    });
    steps.end();
    writeCredentials(paths, { authUrl: `${url}/identity/v3`, password: secrets.adminPassword, region: values.region });
    const api = await loginAsAdmin(url, secrets);
    if (!values['no-runner'] && !stopping) {
      steps.begin('Starting a runner on this machine');
      runner = await startRunner(api, paths, { url, mark });
      steps.end(await describeRunner(api));
      // Who stops it now need not wait for a guest to boot.
      if (!values['no-guest'] && !stopping) await Promise.race([firstGuest(api, values.cidr, steps), stopped]);
    }
    if (!stopping) console.log(goOn(url, paths));
    await stopped;
    console.log('\nStopping; guests keep running. `npm run stop` takes them down, too.');
    return 0;
  } finally {
    await runner?.stop();
    await edge?.stop();
    forgetRunning(paths.running);
  }
}

/** @throws Refusal where it is no JSON of such options */
function complianceOption(text: string): string {
  try {
    parseCompliance(text || '{}');
  } catch (error) {
    throw new Refusal(`--security-compliance: ${(error as Error).message}`);
  }
  return text;
}

/** @throws Refusal where one is no CIDR */
function cidrsOf(option: string, text: string): string[] {
  const cidrs = text.split(',').filter(Boolean);
  const wrong = cidrs.find((cidr) => !ipaddr.isValidCIDR(cidr));
  if (wrong !== undefined) throw new Refusal(`${option}: ${wrong} is no CIDR.`);
  return cidrs;
}

const loginAsAdmin = (url: string, secrets: Secrets) =>
  login(`${url}/identity/v3`, { user: 'admin', password: secrets.adminPassword, project: 'admin' });

async function firstGuest(api: ApiClient, cidr: string, steps: Steps): Promise<void> {
  steps.begin('Building a small guest image');
  const guest = await buildGuest();
  steps.end();
  steps.begin('Seeding a network, flavors and the image');
  const seeded = await seed(api, { cidr, guest });
  steps.end();
  steps.begin('Booting the first guest');
  const server = await bootFirstGuest(api, seeded);
  steps.end(`ACTIVE at ${server.address}`);
  steps.begin('Waiting for it to answer');
  const proofs: string[] = [];
  await proveFirstGuest(api, server, (what) => proofs.push(what));
  steps.end();
  for (const proof of proofs) steps.say(`  ok ${proof}`);
}

/** Resolves at the first Ctrl-C or SIGTERM. */
function untilSignal(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve());
  });
}

const goOn = (url: string, paths: StatePaths) => `
The cloud is up at ${url}

  . ${paths.openrc}             then: openstack server list
  openstack --os-cloud aerostat ...      with ${paths.clouds} in the current folder
  logs                         ${paths.logs}
  another machine              npm run runner -- join ${url} TOKEN
                               (TOKEN: POST ${url}/aerostat/v1/join-tokens)
  Ctrl-C                       stops the control plane; guests keep running
  npm run stop                 takes everything down; data stays in ${paths.stateDir}
`;
