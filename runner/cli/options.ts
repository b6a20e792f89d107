import { isIP } from 'node:net';
import { parseArgs } from 'node:util';
import { Refusal } from '../../shared/refusal.ts';
import { LOG_LEVELS, type LogLevel } from '../log.ts';
import { DEFAULT_STATE_DIR } from '../state/state-folder.ts';

/** The token's way past command lines, which everyone on the machine can read. */
export const TOKEN_VARIABLE = 'AEROSTAT_JOIN_TOKEN';
export const RUNNERS_MAX = 2_000;

export const HELP = `Aerostat runner: makes this machine a host of a cloud and keeps its guests.

  join URL TOKEN   join the cloud at URL with a one-time token, then run
  run              run the runner that joined from this state folder
  install          have systemd run it, now and after each boot
  teardown         ends its guests and removes what it made on the machine; disks stay
  status           whether it runs, whether it is connected, what it holds

  --state DIR          where its key, ledger, images and guests live  (${DEFAULT_STATE_DIR})
  --name NAME          join: its name in the cloud                    (this machine's host name)
  --hypervisor WHICH   join: qemu, or simulated: guests that only seem to be, for trials and tests  (qemu)
  --token-file FILE    join: tokens, one a line, instead of TOKEN; ${TOKEN_VARIABLE} is read too
  --install            join: let systemd run it instead of running here
  --count N            join, simulated: N runners in one process, each with a token of its own
  --boot-delay-ms N    run, simulated: how long a guest takes to boot  (0)
  --mark NAME          prefix of what it makes on the machine         (made from its id)
  --admin-shell        run: a second serial port of each guest, as a unix socket for root
  --move-address IP    run: where other machines reach this one when guests move  (its default route's)
  --tunnel-address IP  run: where other machines' VXLAN packets reach this one  (its default route's)
  --physical-network NAME=INTERFACE  run: a network of cables that this machine is on; may be given again
  --unit-dir DIR       install: where the unit file goes              (/etc/systemd/system)
  --log-level LEVEL    ${LOG_LEVELS.join(', ')}                          (info)

Without TOKEN on the command line nobody else on the machine can read it:
  ${TOKEN_VARIABLE}=... aerostat-runner join https://cloud.example.com`;

const parser = {
  state: { type: 'string', default: DEFAULT_STATE_DIR },
  name: { type: 'string' },
  hypervisor: { type: 'string', default: 'qemu' },
  'token-file': { type: 'string' },
  install: { type: 'boolean', default: false },
  count: { type: 'string', default: '1' },
  'boot-delay-ms': { type: 'string', default: '0' },
  mark: { type: 'string' },
  'admin-shell': { type: 'boolean', default: false },
  'move-address': { type: 'string' },
  'tunnel-address': { type: 'string' },
  'physical-network': { type: 'string', multiple: true },
  'unit-dir': { type: 'string', default: '/etc/systemd/system' },
  'log-level': { type: 'string', default: 'info' },
  help: { type: 'boolean', default: false, short: 'h' },
} as const;

export interface CliOptions {
  stateDir: string;
  name: string | undefined;
  hypervisor: 'qemu' | 'simulated';
  tokenFile: string | undefined;
  install: boolean;
  count: number;
  bootDelayMs: number;
  mark: string | undefined;
  adminShell: boolean;
  moveAddress: string | undefined;
  tunnelAddress: string | undefined;
  /** Interfaces by the names of physical networks. */
  physicalNetworks: Record<string, string>;
  unitDir: string;
  logLevel: LogLevel;
  help: boolean;
  positionals: string[];
}

/** The command line, checked. @throws Refusal */
export function parseOptions(args: string[]): CliOptions {
  const { values, positionals } = parse(args);
  const { hypervisor, mark } = values;
  if (hypervisor !== 'qemu' && hypervisor !== 'simulated')
    throw new Refusal(`--hypervisor ${hypervisor} is not known: qemu or simulated.`);
  const logLevel = LOG_LEVELS.find((level) => level === values['log-level']);
  if (!logLevel) throw new Refusal(`--log-level ${values['log-level']} is not known: ${LOG_LEVELS.join(', ')}.`);
  const count = numberOf('--count', values.count, 1, RUNNERS_MAX);
  if (count > 1 && hypervisor !== 'simulated')
    throw new Refusal('--count is for simulated runners: a machine has one real runner.');
  if (mark !== undefined && !/^[a-z][a-z0-9]{0,15}$/.test(mark))
    throw new Refusal(`--mark ${mark} is not possible: a lower-case letter and up to 15 letters or digits.`);
  return {
    stateDir: values.state,
    name: values.name,
    hypervisor,
    tokenFile: values['token-file'],
    install: values.install,
    count,
    bootDelayMs: numberOf('--boot-delay-ms', values['boot-delay-ms'], 0, 3_600_000),
    mark,
    adminShell: values['admin-shell'],
    moveAddress: addressOf('--move-address', values['move-address']),
    tunnelAddress: addressOf('--tunnel-address', values['tunnel-address']),
    physicalNetworks: physicalNetworksOf(values['physical-network'] ?? []),
    unitDir: values['unit-dir'],
    logLevel,
    help: values.help,
    positionals,
  };
}

/** The command line by which a runner is run as these options say. */
export function runArgumentsOf(options: CliOptions): string[] {
  const { stateDir, adminShell, moveAddress, tunnelAddress, physicalNetworks } = options;
  return [
    ...['run', '--state', stateDir],
    ...(adminShell ? ['--admin-shell'] : []),
    ...(moveAddress === undefined ? [] : ['--move-address', moveAddress]),
    ...(tunnelAddress === undefined ? [] : ['--tunnel-address', tunnelAddress]),
    ...Object.entries(physicalNetworks).flatMap(([name, device]) => ['--physical-network', `${name}=${device}`]),
  ];
}

function parse(args: string[]) {
  try {
    return parseArgs({ args, options: parser, allowPositionals: true });
  } catch (error) {
    throw new Refusal(`${error instanceof Error ? error.message : String(error)} See --help.`);
  }
}

function addressOf(name: string, text: string | undefined): string | undefined {
  if (text !== undefined && isIP(text) === 0) throw new Refusal(`${name} ${text} is not an IP address.`);
  return text;
}

const PHYSICAL_NETWORK = /^([A-Za-z0-9][A-Za-z0-9_.-]{0,63})=([^\s/]{1,15})$/;

function physicalNetworksOf(texts: string[]): Record<string, string> {
  const found: Record<string, string> = {};
  for (const text of texts) {
    const [, name, device] = PHYSICAL_NETWORK.exec(text) ?? [];
    if (name === undefined || device === undefined)
      throw new Refusal(`--physical-network ${text} is not NAME=INTERFACE, as in public=eth1.`);
    if (name in found || Object.values(found).includes(device))
      throw new Refusal(`--physical-network ${text}: a name has one interface, and an interface one name.`);
    found[name] = device;
  }
  return found;
}

function numberOf(name: string, text: string, min: number, max: number): number {
  const number = Number(text);
  if (!/^\d+$/.test(text) || number < min || number > max)
    throw new Refusal(`${name} ${text} is not possible: a whole number from ${min} to ${max}.`);
  return number;
}
