import type { PortSpec } from '../../shared/specs/network.ts';
import type { ImageRef, ServerSpec } from '../../shared/specs/server.ts';
import { type Accelerator, processorOf } from '../host/accelerator.ts';
import { NAMES } from './guest-paths.ts';

/** Empty slots for devices that come while the guest runs. */
export const SPARE_SLOTS = 4;
/** Above what QEMU itself places, and below the chipset's own at 0x1f. */
const FIRST_SLOT_ADDRESS = 0x18;
/** Translated code that emulation keeps; QEMU's own default takes up to a GiB a guest. */
export const TCG_CACHE_MIB = 128;
/**
 * What emulated guests have less. QEMU before 9.0 loses writes of an emulated guest that moves, and so the guest, where it
 * looks for them 256 KiB at a time (its commit 03bfc2188f); memory that is no multiple of that is looked at by pages.
 */
const TCG_LESS_KIB = 8;

/** As Nova starts a kernel whose image says nothing else. */
const KERNEL_COMMAND_LINE = 'root=/dev/vda console=tty0 console=ttyS0';

/** What a port's device in the guest is made of. */
export type NicSpec = Pick<PortSpec, 'id' | 'mac_address' | 'mtu'>;
export interface Interface {
  port: NicSpec;
  tap: string;
  /** Where it is plugged in; by its place in the list where nothing is said. */
  slot?: string;
}

export interface QemuPlan {
  spec: ServerSpec;
  mark: string;
  accelerator: Accelerator['kind'];
  /** In the order in which the guest sees them. */
  interfaces: Interface[];
  /** The machine that a saved guest was on, where it is to be taken up again. */
  saved?: { machine: string; slots: number };
  /** A root shell of the guest's own making on a second serial port, for images that offer one. */
  adminShell: boolean;
  /** The guest comes from another machine: the process waits for it. */
  waiting?: boolean;
}

/** The name by which a guest's process is found again. */
export function guestName(mark: string, id: string): string {
  return `guest=${mark}-${id}`;
}

/** QEMU's arguments for a guest, all paths relative to its folder; it starts paused and stays when the guest shuts down. */
export function qemuArguments(plan: QemuPlan): string[] {
  return [
    ...machineArguments(plan),
    ...monitorArguments(plan),
    ...diskArguments(plan.spec),
    ...slotArguments(plan.saved?.slots ?? plan.interfaces.length + SPARE_SLOTS),
    ...plan.interfaces.flatMap(interfaceArguments),
    ...['-object', 'rng-random,id=random,filename=/dev/urandom', '-device', 'virtio-rng-pci,rng=random'],
    ...['-device', 'virtio-balloon-pci,id=balloon,deflate-on-oom=on,free-page-reporting=on'],
    ...bootArguments(plan.spec),
    ...(plan.waiting ? ['-incoming', 'defer'] : []),
  ];
}

function machineArguments({ spec, mark, accelerator, saved }: QemuPlan): string[] {
  const smbios = 'type=1,manufacturer=OpenStack Foundation,product=OpenStack Compute,family=Virtual Machine';
  return [
    ...['-name', `${guestName(mark, spec.id)},debug-threads=on`],
    ...['-S', '-no-shutdown', '-no-user-config', '-nodefaults'],
    ...['-sandbox', 'on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny'],
    ...['-machine', saved?.machine ?? 'q35'],
    ...['-accel', accelerator === 'kvm' ? 'kvm' : `tcg,thread=multi,tb-size=${TCG_CACHE_MIB}`],
    ...['-cpu', processorOf(accelerator)],
    ...['-smp', String(spec.vcpus), '-m', `size=${memoryKib(spec, accelerator)}k`],
    ...['-uuid', spec.id, '-smbios', `${smbios},uuid=${spec.id},serial=${spec.id}`],
    ...['-rtc', 'base=utc'],
  ];
}

const memoryKib = ({ memory_mib }: ServerSpec, accelerator: Accelerator['kind']) =>
  memory_mib * 1024 - (accelerator === 'tcg' ? TCG_LESS_KIB : 0);

function monitorArguments({ adminShell }: QemuPlan): string[] {
  const socket = (id: string, path: string) => `socket,id=${id},path=${path},server=on,wait=off`;
  const monitor = (id: string, path: string) => ['-chardev', socket(id, path), '-mon', `chardev=${id},mode=control`];
  return [
    ...monitor('monitor', NAMES.monitor),
    ...monitor('monitor2', NAMES.spareMonitor),
    '-chardev',
    `${socket('serial0', NAMES.consoleSocket)},logfile=${NAMES.console},logappend=on`,
    ...['-serial', 'chardev:serial0'],
    ...['-device', 'VGA,id=screen', '-vnc', `unix:${NAMES.screen}`],
    ...(adminShell ? ['-chardev', socket('serial1', NAMES.adminShell), '-serial', 'chardev:serial1'] : []),
  ];
}

function diskArguments(spec: ServerSpec): string[] {
  const own = ownDisk(spec, spec.rescue ? 2 : 1);
  const disks = spec.rescue ? [...rescueDisk(spec.rescue.image.disk_format), ...own] : own;
  if (!spec.config_drive) return disks;
  return [
    ...disks,
    ...blockdev({ 'node-name': 'config', driver: 'raw', 'read-only': true, file: file(NAMES.configDrive, true) }),
    ...['-device', 'virtio-blk-pci,id=config0,drive=config'],
  ];
}

function ownDisk(spec: ServerSpec, bootindex: number): string[] {
  if (spec.image.disk_format === 'iso') return cdrom('root', NAMES.base, bootindex);
  return [
    ...blockdev({ 'node-name': 'root', driver: 'qcow2', discard: 'unmap', file: file(NAMES.disk, false) }),
    ...['-device', `virtio-blk-pci,id=disk0,drive=root,bootindex=${bootindex},serial=${spec.id.slice(0, 20)}`],
  ];
}

/** It comes first, so that it is what the guest boots from and calls its first disk. */
function rescueDisk(format: ImageRef['disk_format']): string[] {
  if (format === 'iso') return cdrom('rescue', NAMES.rescueBase, 1);
  return [
    ...blockdev({ 'node-name': 'rescue', driver: 'qcow2', discard: 'unmap', file: file(NAMES.rescueDisk, false) }),
    ...['-device', 'virtio-blk-pci,id=rescue0,drive=rescue,bootindex=1'],
  ];
}

const cdrom = (node: string, filename: string, bootindex: number): string[] => [
  ...blockdev({ 'node-name': node, driver: 'raw', 'read-only': true, file: file(filename, true) }),
  ...['-device', `ide-cd,drive=${node},bootindex=${bootindex}`],
];

const file = (filename: string, readOnly: boolean) => ({
  driver: 'file',
  filename,
  ...(readOnly ? { 'read-only': true } : { discard: 'unmap' }),
});
const blockdev = (options: Record<string, unknown>): string[] => ['-blockdev', JSON.stringify(options)];

/** Ports of PCI Express, each with room for one device that comes and goes; eight share an address. */
function slotArguments(count: number): string[] {
  return Array.from({ length: count }, (_, slot) => {
    const [device, part] = [FIRST_SLOT_ADDRESS + Math.floor(slot / 8), slot % 8];
    const address = `addr=0x${device.toString(16)}.0x${part}${part === 0 ? ',multifunction=on' : ''}`;
    return ['-device', `pcie-root-port,id=${slotName(slot)},chassis=${slot + 1},${address}`];
  }).flat();
}

export const slotName = (slot: number): string => `slot${slot}`;
export const nicName = (portId: string): string => `nic-${portId}`;
export const netdevName = (portId: string): string => `tap-${portId}`;

function interfaceArguments({ port, tap, slot }: Interface, index: number): string[] {
  const text = (options: Record<string, unknown>) =>
    Object.entries(options)
      .map(([key, value]) => `${key}=${value}`)
      .join(',');
  const { type, ...netdev } = netdevOptions(port.id, tap);
  const { driver, ...device } = nicOptions(port, slot ?? slotName(index));
  return ['-netdev', `${type},${text(netdev)}`, '-device', `${driver},${text(device)}`];
}

/** A port's end on the machine. Strings, as the command line and the monitor both take them. */
export function netdevOptions(portId: string, tap: string) {
  return { type: 'tap', id: netdevName(portId), ifname: tap, script: 'no', downscript: 'no' };
}

/** A port's end in the guest. */
export function nicOptions(port: NicSpec, slot: string) {
  const device = { driver: 'virtio-net-pci', id: nicName(port.id), netdev: netdevName(port.id), bus: slot };
  return { ...device, mac: port.mac_address, host_mtu: port.mtu, romfile: '' };
}

/** Without a kernel of its own the guest boots from its disk. */
function bootArguments(spec: ServerSpec): string[] {
  const { kernel, ramdisk, kernel_command_line } = spec.rescue ?? spec;
  if (!kernel) return ['-boot', 'strict=on'];
  const names = spec.rescue
    ? { kernel: NAMES.rescueKernel, ramdisk: NAMES.rescueRamdisk }
    : { kernel: NAMES.kernel, ramdisk: NAMES.ramdisk };
  return [
    ...['-kernel', names.kernel],
    ...(ramdisk ? ['-initrd', names.ramdisk] : []),
    ...['-append', kernel_command_line ?? KERNEL_COMMAND_LINE],
  ];
}
