import { readdirSync, readFileSync } from 'node:fs';
import { run } from '../runner/host/run.ts';

/** What a cloud could leave behind on a machine. */
export interface MachineState {
  links: string[];
  addresses: string[];
  routes: string[];
  namespaces: string[];
  nft: string;
  cgroups: string[];
  mounts: string[];
  processes: string[];
  sysctls: Record<string, string>;
}

const SYSCTLS = [
  'net/ipv4/ip_forward',
  'net/ipv6/conf/all/forwarding',
  'net/bridge/bridge-nf-call-iptables',
  'net/bridge/bridge-nf-call-ip6tables',
];
/** Programs that a cloud starts; others come and go with the test runner itself. */
const PROGRAMS = /qemu-system|dnsmasq|workerd|db\/server\/main|runner\/main|home\/cli/;

/** Looks at the machine: two looks before and after must be equal. */
export async function machineState(): Promise<MachineState> {
  const [links, addresses, routes, namespaces, nft] = await Promise.all(
    [
      ['ip', '-o', 'link'],
      ['ip', '-o', 'address'],
      ['ip', 'route', 'show', 'table', 'all'],
      ['ip', 'netns', 'list'],
      ['nft', 'list', 'ruleset'],
    ].map(async ([command = '', ...args]) => (await run(command, args)).stdout),
  );
  const lines = (text = '') => text.split('\n').filter(Boolean).sort();
  return {
    links: lines(links).map((line) => line.split(': ')[1] ?? line),
    // Lifetimes count down by themselves.
    addresses: lines(addresses).map((line) => line.replace(/\s+valid_lft.*/, '')),
    routes: lines(routes),
    namespaces: lines(namespaces),
    nft: nft ?? '',
    cgroups: cgroups('/sys/fs/cgroup'),
    mounts: readFileSync('/proc/self/mounts', 'utf8').split('\n').sort(),
    processes: processes(),
    sysctls: Object.fromEntries(SYSCTLS.map((name) => [name, sysctl(name)])),
  };
}

function sysctl(name: string): string {
  try {
    return readFileSync(`/proc/sys/${name}`, 'utf8').trim();
  } catch {
    return 'absent';
  }
}

function cgroups(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .flatMap((entry) => [`${folder}/${entry.name}`, ...cgroups(`${folder}/${entry.name}`)])
    .sort();
}

function processes(): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => {
      try {
        const ended = / Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
        return ended ? '' : readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
      } catch {
        return '';
      }
    })
    .filter((line) => PROGRAMS.test(line))
    .sort();
}
