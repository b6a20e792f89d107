import { run } from './run.ts';

/** An interface of this network namespace. */
export interface Link {
  name: string;
  alias: string | null;
  mac: string;
  mtu: number;
  /** The bridge it belongs to. */
  master: string | null;
  up: boolean;
}

interface LinkJson {
  ifname: string;
  ifalias?: string;
  address?: string;
  mtu: number;
  master?: string;
  flags: string[];
}

/** All interfaces. */
export async function listLinks(): Promise<Link[]> {
  const { stdout } = await run('ip', ['-j', 'link', 'show']);
  return (JSON.parse(stdout || '[]') as LinkJson[]).map((link) => ({
    name: link.ifname,
    alias: link.ifalias ?? null,
    mac: link.address ?? '',
    mtu: link.mtu,
    master: link.master ?? null,
    up: link.flags.includes('UP'),
  }));
}

export interface Address {
  address: string;
  prefixLength: number;
}

/** Addresses of an interface, but those of link scope that the kernel gives by itself. */
export async function listAddresses(link: string): Promise<Address[]> {
  const { stdout } = await run('ip', ['-j', 'addr', 'show', 'dev', link]);
  const [found] = JSON.parse(stdout || '[]') as { addr_info?: { local: string; prefixlen: number; scope: string }[] }[];
  return (found?.addr_info ?? [])
    .filter((info) => !(info.local.startsWith('fe80:') && info.scope === 'link'))
    .map((info) => ({ address: info.local, prefixLength: info.prefixlen }));
}

export interface Rule {
  priority: number;
  /** A number, or a name such as `main`. */
  table: string;
  /** What it selects by, as `ip rule add` takes it, e.g. `fwmark 0x80010001` or `oif br0`. */
  selector: string;
}

/** Routing rules of a family that select by mark or interface. */
export async function listRules(family: 4 | 6): Promise<Rule[]> {
  const { stdout } = await run('ip', ['-j', `-${family}`, 'rule', 'show']);
  type RuleJson = { priority: number; table?: string; fwmark?: string; oif?: string; iif?: string };
  return (JSON.parse(stdout || '[]') as RuleJson[]).map((rule) => {
    const selectors = (['fwmark', 'oif', 'iif'] as const).flatMap((key) => (rule[key] ? [`${key} ${rule[key]}`] : []));
    return { priority: rule.priority, table: rule.table ?? '', selector: selectors.join(' ') };
  });
}

/** Routes of a table, as `prefix` and `dev`; none where the table does not exist. */
export async function listRoutes(family: 4 | 6, table: number): Promise<{ prefix: string; dev: string }[]> {
  const { stdout } = await run('ip', ['-j', `-${family}`, 'route', 'show', 'table', String(table)]).catch(() => ({
    stdout: '',
  }));
  return (JSON.parse(stdout || '[]') as { dst: string; dev?: string }[]).map((route) => ({
    prefix: route.dst,
    dev: route.dev ?? '',
  }));
}

/**
 * Runs `ip` commands in one process, in order; each is an array of arguments without blanks.
 * @throws CommandError at the first that fails; those before it are done
 */
export async function ipBatch(commands: readonly (readonly string[])[], family?: 4 | 6): Promise<void> {
  if (commands.length === 0) return;
  await run('ip', [...(family ? [`-${family}`] : []), '-batch', '-'], { input: batchText(commands) });
}

/** Runs `bridge` commands in one process, like `ipBatch`. */
export async function bridgeBatch(commands: readonly (readonly string[])[]): Promise<void> {
  if (commands.length === 0) return;
  await run('bridge', ['-batch', '-'], { input: batchText(commands) });
}

function batchText(commands: readonly (readonly string[])[]): string {
  for (const word of commands.flat()) {
    if (!/^[^\s"'\\#]+$/.test(word)) throw new Error(`not a plain argument: ${JSON.stringify(word)}`);
  }
  return commands.map((command) => `${command.join(' ')}\n`).join('');
}

/** The address that this machine's default route leaves from; null without one. IPv4 where there is a choice. */
export async function addressOfDefaultRoute(): Promise<string | null> {
  for (const target of ['192.0.2.1', '2001:db8::1']) {
    const found = await run('ip', ['-j', 'route', 'get', target]).catch(() => null);
    const [route] = JSON.parse(found?.stdout || '[]') as { prefsrc?: string }[];
    if (route?.prefsrc) return route.prefsrc;
  }
  return null;
}
