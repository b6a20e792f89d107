import { matches } from './spec-match.ts';

/** A host's own words of itself, as its runner says them: `arch:x86_64`, `accelerator:kvm`; and its aggregates'. */
export interface HostTraits {
  id: string;
  hypervisor: string | null;
  capabilities: readonly string[];
  aggregates: readonly Readonly<Record<string, string>>[];
  /** Where its VXLAN packets come from; null where it has no such address. */
  tunnelIp: string | null;
  /** The networks of cables that it is on, by name. */
  physicalNetworks: readonly string[];
}

/** One thing that a flavor or an image asks of its host. */
export interface Demand {
  /** What a host without it is, in the words of the fault. */
  refused: string;
  holds(host: HostTraits): boolean;
}

const OF_AGGREGATES = 'aggregate_instance_extra_specs';
const OF_CAPABILITIES = 'capabilities';
const TRAIT = 'trait';

/** What a flavor's extra specs ask of a host; those of other scopes are about the guest. */
export function flavorDemands(extraSpecs: Readonly<Record<string, string>>): Demand[] {
  return Object.entries(extraSpecs).flatMap(([key, asked]) => {
    const at = key.indexOf(':');
    const [scope, name] = at < 0 ? ['', key] : [key.slice(0, at), key.slice(at + 1)];
    const refused = `without ${key} ${asked}`;
    if (scope === OF_AGGREGATES) return [{ refused, holds: (host) => inAggregate(host, name, asked) }];
    if (scope === '' || scope === OF_CAPABILITIES) return [{ refused, holds: (host) => isCapable(host, name, asked) }];
    if (scope === TRAIT && asked === 'required') {
      return [{ refused, holds: (host) => host.capabilities.includes(`${TRAIT}:${name}`) }];
    }
    if (scope === TRAIT && asked === 'forbidden') {
      return [{ refused: `with ${name}`, holds: (host) => !host.capabilities.includes(`${TRAIT}:${name}`) }];
    }
    return [];
  });
}

/** Aggregates say several values of a key in one text, with commas between. */
const inAggregate = (host: HostTraits, name: string, asked: string): boolean =>
  host.aggregates.some((metadata) => metadata[name]?.split(',').some((value) => matches(value.trim(), asked)) ?? false);

const isCapable = (host: HostTraits, name: string, asked: string): boolean =>
  valuesOf(host, name).some((value) => matches(value, asked));

/** What a host says of a capability. */
function valuesOf({ hypervisor, capabilities }: HostTraits, name: string): string[] {
  if (name === 'hypervisor_type') return hypervisor === null ? [] : [hypervisor.toUpperCase(), hypervisor];
  const key = name === 'cpu_info:arch' ? 'arch' : name;
  return capabilities.flatMap((one) => (one.startsWith(`${key}:`) ? [one.slice(key.length + 1)] : []));
}

/** Names of one architecture. */
const ARCHITECTURES: Readonly<Record<string, string>> = {
  amd64: 'x86_64',
  x64: 'x86_64',
  arm64: 'aarch64',
  i386: 'i686',
  i486: 'i686',
  i586: 'i686',
  x86: 'i686',
};
const architecture = (name: string) => ARCHITECTURES[name.toLowerCase()] ?? name.toLowerCase();
/** What a processor runs besides its own. */
const ALSO_RUNS: Readonly<Record<string, readonly string[]>> = { x86_64: ['i686'], aarch64: ['armv7l'] };
/** The machine that guests are, and the mode that they run in. */
const MACHINE = /^(pc-)?q35(-|$)/;
const VM_MODE = 'hvm';

/** What an image's properties ask of a host. A host that does not say its architecture is taken for any. */
export function imageDemands(properties: Readonly<Record<string, string>>): Demand[] {
  const asked = (...names: string[]) => names.map((name) => properties[name]).find((value) => value !== undefined);
  const demand = (name: string, value: string | undefined, holds: (host: HostTraits, value: string) => boolean) =>
    value === undefined || value === ''
      ? []
      : [{ refused: `not of ${name} ${value}`, holds: (host: HostTraits) => holds(host, value) }];
  return [
    ...demand('architecture', asked('hw_architecture', 'architecture'), runs),
    ...demand('hypervisor type', asked('img_hv_type', 'hypervisor_type'), isHypervisor),
    ...demand('vm mode', asked('hw_vm_mode', 'vm_mode'), (_host, value) => value.toLowerCase() === VM_MODE),
    ...demand('machine type', asked('hw_machine_type'), (_host, value) => MACHINE.test(value)),
  ];
}

function runs(host: HostTraits, value: string): boolean {
  const [own] = valuesOf(host, 'arch').map(architecture);
  const wanted = architecture(value);
  return own === undefined || own === wanted || (ALSO_RUNS[own]?.includes(wanted) ?? false);
}

/** QEMU is KVM too where the processor helps it; a simulated host is whatever is asked for. */
function isHypervisor(host: HostTraits, value: string): boolean {
  const wanted = value.toLowerCase();
  if (host.hypervisor === 'simulated') return wanted === 'qemu' || wanted === 'kvm';
  return wanted === host.hypervisor || (wanted === 'kvm' && host.capabilities.includes('accelerator:kvm'));
}
