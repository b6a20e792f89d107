import { expect, it } from 'vitest';
import { id, portOf, serverOf } from '../testing/specs.ts';
import { type QemuPlan, qemuArguments } from './qemu-arguments.ts';

const kernel = { id: id(9), sha256: 'b'.repeat(64), size_bytes: 1, disk_format: 'aki' as const };
const plan: QemuPlan = {
  spec: serverOf(1),
  mark: 'ae12',
  accelerator: 'kvm',
  interfaces: [{ port: portOf(2, 3, { mtu: 1450 }), tap: 'ae12xxt00000002' }],
  adminShell: false,
};
const after = (args: string[], flag: string) => args.flatMap((word, at) => (word === flag ? [args[at + 1]] : []));

it('is, for a guest on KVM that boots from its disk, this', () => {
  expect(qemuArguments(plan).join('\n')).toMatchInlineSnapshot(`
    "-name
    guest=ae12-00000000-0000-4000-8000-000000000001,debug-threads=on
    -S
    -no-shutdown
    -no-user-config
    -nodefaults
    -sandbox
    on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny
    -machine
    q35
    -accel
    kvm
    -cpu
    host
    -smp
    1
    -m
    size=524288k
    -uuid
    00000000-0000-4000-8000-000000000001
    -smbios
    type=1,manufacturer=OpenStack Foundation,product=OpenStack Compute,family=Virtual Machine,uuid=00000000-0000-4000-8000-000000000001,serial=00000000-0000-4000-8000-000000000001
    -rtc
    base=utc
    -chardev
    socket,id=monitor,path=run/monitor,server=on,wait=off
    -mon
    chardev=monitor,mode=control
    -chardev
    socket,id=monitor2,path=run/monitor2,server=on,wait=off
    -mon
    chardev=monitor2,mode=control
    -chardev
    socket,id=serial0,path=run/ttyS0,server=on,wait=off,logfile=console.log,logappend=on
    -serial
    chardev:serial0
    -device
    VGA,id=screen
    -vnc
    unix:run/vnc
    -blockdev
    {"node-name":"root","driver":"qcow2","discard":"unmap","file":{"driver":"file","filename":"disk.qcow2","discard":"unmap"}}
    -device
    virtio-blk-pci,id=disk0,drive=root,bootindex=1,serial=00000000-0000-4000-8
    -device
    pcie-root-port,id=slot0,chassis=1,addr=0x18.0x0,multifunction=on
    -device
    pcie-root-port,id=slot1,chassis=2,addr=0x18.0x1
    -device
    pcie-root-port,id=slot2,chassis=3,addr=0x18.0x2
    -device
    pcie-root-port,id=slot3,chassis=4,addr=0x18.0x3
    -device
    pcie-root-port,id=slot4,chassis=5,addr=0x18.0x4
    -netdev
    tap,id=tap-00000000-0000-4000-8000-000000000002,ifname=ae12xxt00000002,script=no,downscript=no
    -device
    virtio-net-pci,id=nic-00000000-0000-4000-8000-000000000002,netdev=tap-00000000-0000-4000-8000-000000000002,bus=slot0,mac=fa:16:3e:00:00:02,host_mtu=1450,romfile=
    -object
    rng-random,id=random,filename=/dev/urandom
    -device
    virtio-rng-pci,rng=random
    -device
    virtio-balloon-pci,id=balloon,deflate-on-oom=on,free-page-reporting=on
    -boot
    strict=on"
  `);
});

it('emulates where it must', () => {
  const args = qemuArguments({ ...plan, accelerator: 'tcg' });
  expect(after(args, '-accel')).toEqual(['tcg,thread=multi,tb-size=128']);
  expect(after(args, '-cpu')).toEqual(['max']);
  // No multiple of 256 KiB, or it loses what it writes while it moves.
  expect(after(args, '-m')).toEqual(['size=524280k']);
});

it('boots a kernel with its ramdisk and command line, whatever that holds', () => {
  const line = 'console=ttyS0 root=/dev/vda,rw "quoted" -name evil';
  const args = qemuArguments({ ...plan, spec: serverOf(1, { kernel, ramdisk: kernel, kernel_command_line: line }) });
  expect(after(args, '-kernel')).toEqual(['kernel']);
  expect(after(args, '-initrd')).toEqual(['ramdisk']);
  expect(after(args, '-append')).toEqual([line]);
  expect(after(args, '-name')).toHaveLength(1);
});

it('never lets a name of the tenant’s onto the command line', () => {
  const evil = 'evil,file=/etc/passwd';
  const spec = serverOf(1, { config_drive: true });
  spec.metadata = { ...spec.metadata, name: evil, hostname: evil, meta: { evil }, user_data: evil };
  expect(qemuArguments({ ...plan, spec }).join(' ')).not.toContain('evil');
});

it('adds a config drive behind the disk, and an admin shell only when asked', () => {
  const args = qemuArguments({ ...plan, spec: serverOf(1, { config_drive: true }), adminShell: true });
  expect(after(args, '-device').filter((device) => device?.startsWith('virtio-blk'))).toEqual([
    expect.stringContaining('drive=root,bootindex=1'),
    'virtio-blk-pci,id=config0,drive=config',
  ]);
  expect(after(args, '-serial')).toEqual(['chardev:serial0', 'chardev:serial1']);
  expect(after(qemuArguments(plan), '-serial')).toEqual(['chardev:serial0']);
});
