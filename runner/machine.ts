import { join } from 'node:path';
import { systemTimers, type Timers } from '../shared/clock.ts';
import type { Capacity } from '../shared/protocol/messages.ts';
import type { Kind } from '../shared/specs/kinds.ts';
import { caretaker } from './caretaker.ts';
import type { ComputeContext, OpenRelay } from './compute/context.ts';
import { GuestPasswords } from './compute/guest-password.ts';
import { Guests } from './compute/guests.ts';
import type { FetchImage } from './compute/images/download.ts';
import { ImageCache } from './compute/images/image-cache.ts';
import type { UploadImage } from './compute/images/upload.ts';
import { Moves } from './compute/moves/moves.ts';
import { serverDriver } from './compute/server-driver.ts';
import { serverOperator } from './compute/server-operator.ts';
import { DriverError, type Machine } from './driver.ts';
import { pickAccelerator } from './host/accelerator.ts';
import { Cgroups, findCgroups } from './host/cgroups.ts';
import { letUserOpen } from './host/devices.ts';
import { bootId, machineSize } from './host/facts.ts';
import { makeFolder } from './host/files.ts';
import { KernelWatch } from './host/kernel-watch.ts';
import { addressOfDefaultRoute, hasVlans } from './host/links.ts';
import { networkNamespace } from './host/namespace.ts';
import { SysctlKeeper } from './host/sysctl.ts';
import { requireTools } from './host/tools.ts';
import { ensureSystemUser } from './host/users.ts';
import { errorText, type Log } from './log.ts';
import { machineMeters } from './metering/machine-meters.ts';
import { prepareForwarding } from './network/bridges.ts';
import { withDenied } from './network/intranet/denied-query.ts';
import { Inventory } from './network/inventory.ts';
import { keptDriver } from './network/kept-driver.ts';
import { Names } from './network/names.ts';
import { networkDriver } from './network/network-driver.ts';
import { portDriver } from './network/port-driver.ts';
import { routingDriver } from './network/routers/routing-driver.ts';
import { neighborDriver } from './network/segments/neighbor-driver.ts';
import { NetworkServices } from './network/services.ts';

/** Guests run as this user; it owns nothing but their disks. */
const GUEST_USER = 'aerostat-qemu';
const POWERDOWN_GRACE_MS = 60_000;
const IMAGE_CACHE_BYTES_MAX = 50 * 1024 ** 3;
/** Daemons that gave up root pass through it. */
const RUN_FOLDER_MODE = 0o755;
/** Kept for the machine itself. */
const RESERVE: Capacity = { vcpus: 0, memory_mib: 512, disk_gib: 1 };

export interface MachineOptions {
  /** Holds images, guests and what was last applied; only root may enter. */
  stateDir: string;
  /** Prefix of everything made on the machine. */
  mark: string;
  fetchImage: FetchImage;
  uploadImage: UploadImage;
  openRelay: OpenRelay;
  log: Log;
  /** Gives guests a second serial port, a unix socket at `guests/ID/run/ttyS1`. Off unless asked for. */
  adminShell?: boolean;
  /** What the machine keeps for itself. */
  reserve?: Partial<Capacity>;
  /** Images that no guest uses are kept up to this size. */
  imageCacheBytesMax?: number;
  /** How long a guest has to shut down before its plug is pulled. */
  powerdownGrace_ms?: number;
  /** Another one than before means that the machine was started anew, and its guests with it. */
  bootId?: string;
  time?: Timers;
  /** Where other machines reach this one when guests move; by default the address that its default route leaves from. */
  moveAddress?: string;
  /** Where other machines' VXLAN packets reach this one; by default the address that its default route leaves from. */
  tunnelAddress?: string;
  /** The interfaces that physical networks are on, by the networks' names. */
  physicalNetworks?: Record<string, string>;
}

/** Guests are PCs, whatever the machine is: the scheduler places images by it. */
const GUEST_ARCHITECTURE = 'arch:x86_64';

/** Where what was last applied is kept, and what settings of the kernel were before. */
export const inventoryFolder = (stateDir: string) => join(stateDir, 'inventory');
export const sysctlFile = (stateDir: string) => join(stateDir, 'kernel-settings.json');
export const dhcpFolder = (names: Names, stateDir: string) => join(names.runFolder(stateDir), 'dhcp');

/**
 * Opens this machine, or the network namespace that the process is in: guests in QEMU, networks in the kernel. What runs
 * from before is adopted. Needs root.
 * @throws when the machine lacks something that guests need, with what to do
 */
export async function openMachine(options: MachineOptions): Promise<Machine> {
  const { stateDir, log } = options;
  if (process.getuid?.() !== 0) throw new Error('a runner needs root, for bridges, nftables and guests');
  const names = new Names(options.mark);
  await requireTools();
  await makeFolder(stateDir);
  await makeFolder(names.runFolder(stateDir), RUN_FOLDER_MODE);
  const ctx = await computeContext(options, names);
  const sysctls = new SysctlKeeper(sysctlFile(stateDir));
  await prepareForwarding(names, sysctls);
  const { inventory } = ctx;
  const tunnelAddress = options.tunnelAddress ?? (await addressOfDefaultRoute()) ?? null;
  const physicalNetworks = options.physicalNetworks ?? {};
  const services = new NetworkServices({
    names,
    inventory,
    sysctls,
    uplinks: { tunnelAddress, physicalNetworks },
    dhcpFolder: dhcpFolder(names, stateDir),
    clock: options.time ?? systemTimers,
    log,
  });
  await services.resume();
  const guests = new Guests(ctx);
  const moves = new Moves(ctx, guests);
  const passwords = new GuestPasswords({ stateDir, guests, time: options.time ?? systemTimers });
  services.metadata.passwords = passwords;
  await adopt(guests, log);

  const listeners = new Set<(kind: Kind, id: string) => void>();
  guests.onChange = (id) => {
    for (const listener of listeners) listener('server', id);
  };
  const watch = new KernelWatch();
  const meters = machineMeters({ ctx, guests, services });
  const stopCare = caretaker({ time: options.time ?? systemTimers, guests, services, watch, log });
  return {
    hypervisor: 'qemu',
    capabilities: [
      GUEST_ARCHITECTURE,
      `accelerator:${ctx.accelerator.kind}`,
      ...((await hasVlans(names.segment('probe'))) ? ['vlan'] : []),
      ...ctx.cgroups.controllers.map((name) => `limit:${name}`),
    ],
    tunnelIp: tunnelAddress,
    physicalNetworks: Object.keys(physicalNetworks),
    capacity: async () => lessReserve(await machineSize(stateDir), options.reserve),
    drivers: {
      intranet: keptDriver(services, 'intranet'),
      'intranet-exception': keptDriver(services, 'intranet-exception'),
      network: networkDriver(services),
      neighbor: neighborDriver(services),
      router: routingDriver(services, 'router'),
      'address-group': keptDriver(services, 'address-group'),
      'security-group': keptDriver(services, 'security-group'),
      'group-member': keptDriver(services, 'group-member'),
      port: portDriver(services, ctx.user.uid, (id) => meters.lastOfPort(id)),
      'floating-ip': routingDriver(services, 'floating-ip'),
      'port-forwarding': routingDriver(services, 'port-forwarding'),
      server: serverDriver(ctx, guests, moves),
    },
    operator: withDenied(serverOperator(ctx, guests, moves), services.intranet),
    collectors: (runnerId) => meters.collectors(runnerId),
    onChange: (listener) => void listeners.add(listener),
    acknowledged: (observation) => passwords.acknowledged(observation),
    async close() {
      listeners.clear();
      await stopCare();
      moves.close();
      guests.release();
      await services.metadata.close();
    },
  };
}

async function computeContext(options: MachineOptions, names: Names): Promise<ComputeContext> {
  const { stateDir, log } = options;
  const user = await ensureSystemUser(GUEST_USER);
  const tunGroup = await letUserOpen('/dev/net/tun', user);
  const accelerator = await pickAccelerator(user);
  if (accelerator.kind === 'tcg') {
    const remedy = 'guests are emulated, many times slower; turn on hardware virtualisation in the firmware';
    log.warn('no-hardware-virtualisation', { reason: accelerator.reason, remedy });
  }
  const hierarchy = await findCgroups(join(names.runFolder(stateDir), 'cgroup'));
  const { cgroups, reason } = await Cgroups.open(hierarchy, await cgroupFolder(names));
  if (cgroups.controllers.length < 3) {
    const effect = 'guests are not held to their flavors';
    log.warn('limits-missing', { controllers: cgroups.controllers, reason, effect });
  }
  const time = options.time ?? systemTimers;
  return {
    stateDir,
    names,
    inventory: await Inventory.open(inventoryFolder(stateDir)),
    images: new ImageCache({
      folder: join(stateDir, 'images'),
      fetchImage: options.fetchImage,
      bytesMax: options.imageCacheBytesMax ?? IMAGE_CACHE_BYTES_MAX,
      gid: user.gid,
      clock: time,
      log,
    }),
    uploadImage: options.uploadImage,
    openRelay: options.openRelay,
    cgroups,
    accelerator,
    user,
    deviceGroups: [...accelerator.groups, ...(tunGroup === null ? [] : [tunGroup])],
    bootId: options.bootId ?? (await bootId()),
    adminShell: options.adminShell ?? false,
    powerdownGrace_ms: options.powerdownGrace_ms ?? POWERDOWN_GRACE_MS,
    log,
    random: Math.random,
    moveAddress: async () => options.moveAddress ?? (await ownAddress()),
  };
}

/** Groups of processes are the machine's, marks a network namespace's: the folder's name says both. */
export async function cgroupFolder(names: Names): Promise<string> {
  return `${names.mark}-${await networkNamespace()}`;
}

async function ownAddress(): Promise<string> {
  const address = await addressOfDefaultRoute();
  if (address) return address;
  throw new DriverError('This machine has no default route: start its runner with --move-address', { code: 412 });
}

async function adopt(guests: Guests, log: Log): Promise<void> {
  const adopted = (await guests.list()).map(async (id) => {
    try {
      const live = await guests.find(id);
      if (live) log.info('guest-adopted', { guest: id, pid: live.process.pid });
    } catch (error) {
      log.error('guest-not-adopted', { guest: id, error: errorText(error) });
    }
  });
  await Promise.all(adopted);
}

function lessReserve(size: Capacity, reserve: Partial<Capacity> = {}): Capacity {
  const kept = { ...RESERVE, ...reserve };
  return {
    vcpus: Math.max(1, size.vcpus - kept.vcpus),
    memory_mib: Math.max(0, size.memory_mib - kept.memory_mib),
    disk_gib: Math.max(0, size.disk_gib - kept.disk_gib),
  };
}
