import { parseArgs } from 'node:util';
import { Refusal } from '../shared/refusal.ts';
import { login } from './api-client.ts';
import { drawTopology } from './topology/draw-topology.ts';
import { readTopology } from './topology/read-topology.ts';

const HELP = `npm run cloud -- topology    draws the cloud that OS_AUTH_URL and its like name, as far as who asks sees it

Machines with zone and state, networks with type and segment, routers, ports and servers with their addresses, floating IPs.
The variables are those of the openstack client: source .aerostat/openrc, or an openrc of yours.`;

const REQUIRED = ['OS_AUTH_URL', 'OS_USERNAME', 'OS_PASSWORD', 'OS_PROJECT_NAME'] as const;

/** `npm run cloud -- topology`: asks a cloud's API about it. @throws Refusal where it cannot be asked, with what to do */
export async function cloud(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    options: { help: { type: 'boolean', default: false } },
    allowPositionals: true,
  });
  if (values.help || positionals.length === 0) {
    console.log(HELP);
    return values.help ? 0 : 2;
  }
  if (positionals.join(' ') !== 'topology')
    throw new Refusal(`there is no command 'cloud ${positionals.join(' ')}'. There is: cloud topology`);
  console.log(drawTopology(await readTopology(await loginByEnvironment(process.env))));
  return 0;
}

async function loginByEnvironment(env: NodeJS.ProcessEnv) {
  const missing = REQUIRED.filter((name) => !env[name]);
  if (missing.length > 0)
    throw new Refusal(`${missing.join(', ')} must say which cloud, and as whom. Try: . .aerostat/openrc`);
  const url = (env.OS_AUTH_URL ?? '').replace(/\/+$/, '');
  const who = { user: env.OS_USERNAME ?? '', password: env.OS_PASSWORD ?? '', project: env.OS_PROJECT_NAME ?? '' };
  try {
    return await login(url, who);
  } catch (error) {
    if (error instanceof Refusal) throw error;
    const reason = error instanceof Error && error.cause instanceof Error ? error.cause.message : String(error);
    throw new Refusal(`${url} does not answer (${reason}). Is it the cloud's identity URL, and is the cloud started?`);
  }
}
