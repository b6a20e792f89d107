import { badRequest } from '../../http/errors.ts';

type Check = (value: string) => string | null;

const whole =
  (min: number): Check =>
  (value) => {
    if (!/^\s*[+-]?\d+\s*$/.test(value)) return `'${value}' is not a valid integer value.`;
    return Number(value) < min ? `'${Number(value)}' is less than the min value of '${min}'.` : null;
  };
const yesOrNo: Check = (value) =>
  /^(1|t|true|on|y|yes|0|f|false|off|n|no)$/i.test(value.trim())
    ? null
    : `'${value}' is not a valid boolean-like value.`;
const oneOf =
  (...values: string[]): Check =>
  (value) =>
    values.includes(value) ? null : `'${value}' is not one of: ${values.join(', ')}.`;
const like =
  (pattern: string): Check =>
  (value) =>
    new RegExp(`^(?:${pattern})$`).test(value) ? null : `'${value}' is not of the format '${pattern}'.`;
const anything: Check = () => null;

const CPUS = like('\\^?\\d+((-\\d+)?(,\\^?\\d+(-\\d+)?)?)*');
const each = (names: readonly string[], check: Check) => names.map((name) => [name, check] as const);

/**
 * What Nova knows of extra specs, by namespace: patterns of names, each with how its value is checked. A namespace that is
 * listed has no others; any other namespace, and names without one, may be anything.
 */
const KNOWN: Readonly<Record<string, readonly (readonly [string, Check])[]>> = {
  hw: [
    ...each(['cpu_realtime', 'hide_hypervisor_id', 'boot_menu', 'mem_encryption', 'pmu', 'locked_memory'], yesOrNo),
    ...each(['vif_multiqueue_enabled', 'virtio_packed_ring'], yesOrNo),
    ...each(['cpu_realtime_mask', 'cpu_dedicated_mask', 'numa_cpus\\.\\d+'], CPUS),
    ['cpu_policy', oneOf('dedicated', 'shared', 'mixed')],
    ['cpu_thread_policy', oneOf('prefer', 'isolate', 'require')],
    ['emulator_threads_policy', oneOf('isolate', 'share')],
    ['mem_page_size', like('(large|small|any|\\d+([kKMGT]i?)?(b|bit|B)?)')],
    ...each(['numa_nodes', 'numa_mem\\.\\d+', '(max_)?cpu_(sockets|cores|threads)'], whole(1)),
    ['pci_numa_affinity_policy', oneOf('required', 'preferred', 'legacy', 'socket')],
    ['pmem', like('([a-zA-Z0-9_]+(,)?)+')],
    ['serial_port_count', whole(0)],
    ['tpm_model', oneOf('tpm-tis', 'tpm-crb')],
    ['tpm_version', oneOf('1.2', '2.0')],
    ['watchdog_action', oneOf('none', 'pause', 'poweroff', 'reset', 'disabled')],
    ['viommu_model', oneOf('intel', 'smmuv3', 'virtio', 'auto')],
    ['maxphysaddr_mode', oneOf('passthrough', 'emulate')],
    ['maxphysaddr_bits', whole(0)],
    ...each(['input_bus', 'machine_type', 'ephemeral_encryption(_format)?'], anything),
  ],
  hw_rng: [['allowed', yesOrNo], ...each(['rate_bytes', 'rate_period'], whole(0))],
  hw_video: [['ram_max_mb', whole(0)]],
  os: [['secure_boot', oneOf('required', 'disabled', 'optional')]],
  quota: [
    ['(cpu|memory|disk_io|vif)_shares_level', anything],
    ['(cpu|memory|disk_io|vif)_(limit|reservation|shares_share)', whole(Number.NEGATIVE_INFINITY)],
    ['cpu_(shares|period|quota)', whole(0)],
    ['disk_(read|write|total)_(bytes|iops)_sec', whole(0)],
    ['vif_(inbound|outbound)_(average|peak|burst)', whole(0)],
  ],
  accel: [['device_profile', anything]],
  pci_passthrough: [['alias', anything]],
  aggregate_instance_extra_specs: [['.+', anything]],
  capabilities: [['.+', anything]],
};
/** Requests of a group have its name in the namespace. */
const GRANULAR: readonly (readonly [RegExp, RegExp, Check])[] = [
  [/^resources([a-zA-Z0-9_-]{1,64})?$/, /^[A-Z0-9_]+$/, whole(0)],
  [/^trait([a-zA-Z0-9_-]{1,64})?$/, /^[A-Z0-9_]+$/, oneOf('required', 'forbidden')],
];

/** Refuses an extra spec that Nova knows not to mean anything, as it does from 2.86. @throws ApiError 400 */
export function checkExtraSpec(name: string, value: string): void {
  const at = name.indexOf(':');
  if (at < 0) return;
  const [namespace, key] = [name.slice(0, at), name.slice(at + 1)];
  const granular = GRANULAR.find(([space]) => space.test(namespace));
  const known = Object.hasOwn(KNOWN, namespace) ? KNOWN[namespace] : undefined;
  if (!granular && !known) return;
  const check = granular
    ? granular[1].test(key) && granular[2]
    : known?.find(([pattern]) => new RegExp(`^(?:${pattern})$`).test(key))?.[1];
  if (!check) throw badRequest(`Validation failed; extra spec '${name}' does not appear to be a valid extra spec.`);
  const problem = check(value);
  if (problem !== null) throw badRequest(`Validation failed; ${problem}`);
}
