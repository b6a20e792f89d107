/** Debian packages that each part needs; `bin/aerostat.mjs` installs what is missing. */
const machine = [
  'qemu-system-x86',
  'qemu-utils',
  'nftables',
  'dnsmasq-base',
  'iproute2',
  'arping',
  'conntrack',
  'genisoimage',
  'kmod',
  'procps',
  'util-linux',
  'passwd',
];
const guestImage = [
  'busybox-static',
  'syslinux',
  'syslinux-common',
  'mtools',
  'dosfstools',
  'zstd',
  'cpio',
  'fdisk',
  'e2fsprogs',
  'binutils',
  'findutils',
  'dropbear-bin',
  'libc-bin',
];
/** What tests look at cables with, and a DHCPv6 client of guests. */
const cables = ['tcpdump', 'arping', 'iputils-ping', 'qemu-system-common', 'isc-dhcp-client'];
/** What makes the clock of machines that is ahead. */
const compiler = ['gcc', 'libc6-dev'];
const clients = [
  'python3-openstackclient',
  'python3-cloudkittyclient',
  'python3-gnocchiclient',
  'python3-openstacksdk',
  'tempest',
  'curl',
  'iputils-ping',
];
const load = ['hey', 'python3'];
/** What loads networks, and the filter that others have. */
const wires = ['iperf3', 'iptables', 'iputils-ping'];

/** By command: what must be there before it runs. */
export const packagesFor = {
  start: [...machine, ...guestImage],
  stop: ['iproute2', 'nftables'],
  runner: machine,
  test: [...machine, ...guestImage, ...cables, ...compiler, ...clients, ...load],
  'test unit': ['iproute2', 'util-linux'],
  'test edge': [],
  'test hosts': [...machine, ...guestImage, ...cables, ...compiler, 'python3'],
  'test conformance': [...machine, ...guestImage, ...clients],
  conformance: [...clients, 'neutron-tempest-plugin'],
  bench: [...machine, ...load, ...wires],
};
