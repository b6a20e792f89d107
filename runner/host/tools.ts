import { access, constants } from 'node:fs/promises';
import { join } from 'node:path';

/** Programs that a runner uses, and Debian's packages of them. */
const TOOLS: Record<string, string> = {
  ip: 'iproute2',
  bridge: 'iproute2',
  nft: 'nftables',
  arping: 'arping',
  conntrack: 'conntrack',
  dnsmasq: 'dnsmasq-base',
  'qemu-system-x86_64': 'qemu-system-x86',
  'qemu-img': 'qemu-utils',
  genisoimage: 'genisoimage',
  setpriv: 'util-linux',
  prlimit: 'util-linux',
  fallocate: 'util-linux',
  useradd: 'passwd',
};

/** @throws when programs are missing, with the packages to install */
export async function requireTools(path = process.env.PATH ?? ''): Promise<void> {
  const missing: string[] = [];
  for (const tool of Object.keys(TOOLS)) if (!(await isThere(tool, path))) missing.push(tool);
  if (missing.length === 0) return;
  const packages = [...new Set(missing.map((tool) => TOOLS[tool]))].join(' ');
  throw new Error(`${missing.join(', ')} not found in PATH. Install them: apt-get install ${packages}`);
}

async function isThere(tool: string, path: string): Promise<boolean> {
  for (const folder of path.split(':')) {
    const found = await access(join(folder, tool), constants.X_OK).then(
      () => true,
      () => false,
    );
    if (found) return true;
  }
  return false;
}
