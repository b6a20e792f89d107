import { createHash } from 'node:crypto';
import type { GuestMetadata } from '../../../shared/specs/server.ts';

/** A leaf's text, or what is below. */
export type Ec2Node = string | { [name: string]: Ec2Node };

export const EC2_VERSIONS = [
  '1.0',
  '2007-01-19',
  '2007-03-01',
  '2007-08-29',
  '2007-10-10',
  '2007-12-15',
  '2008-02-01',
  '2008-09-01',
  '2009-04-04',
  'latest',
];

/** EC2 names things by 8 hex digits: the same guest always has the same. */
const ec2Id = (prefix: string, id: string) => `${prefix}-${createHash('sha256').update(id).digest('hex').slice(0, 8)}`;

/** What EC2's `meta-data` says of a guest. */
export function ec2MetaData(
  metadata: GuestMetadata,
  at: { imageId: string; fixedIpv4: string | null; floatingIpv4: string | null },
): Record<string, Ec2Node> {
  const keys = Object.entries(metadata.public_keys).map(([name, key], index): [string, Ec2Node] => [
    String(index),
    { _name: name, 'openssh-key': key },
  ]);
  return {
    'ami-id': ec2Id('ami', at.imageId),
    'ami-launch-index': String(metadata.launch_index),
    'ami-manifest-path': '(unknown)',
    'block-device-mapping': { ami: 'vda', root: '/dev/vda' },
    hostname: metadata.hostname,
    'instance-action': 'none',
    'instance-id': ec2Id('i', metadata.uuid),
    'instance-type': metadata.instance_type,
    'local-hostname': metadata.hostname,
    'local-ipv4': at.fixedIpv4 ?? '',
    placement: { 'availability-zone': metadata.availability_zone },
    'public-hostname': metadata.hostname,
    'public-ipv4': at.floatingIpv4 ?? '',
    ...(keys.length > 0 ? { 'public-keys': Object.fromEntries(keys) } : {}),
    'reservation-id': ec2Id('r', metadata.uuid),
  };
}

/** A node as EC2 writes it: a leaf's text, or names, those of folders with a slash; null where there is none. */
export function ec2Text(root: Ec2Node, path: readonly string[]): string | null {
  let node: Ec2Node | undefined = root;
  for (const name of path) {
    if (typeof node === 'string' || node === undefined || !Object.hasOwn(node, name)) return null;
    node = node[name];
  }
  if (node === undefined || typeof node === 'string') return node ?? null;
  return Object.entries(node)
    .filter(([name]) => name !== '_name')
    .map(([name, below]) => {
      if (typeof below === 'string') return name;
      // Keys are listed with their names.
      return typeof below._name === 'string' ? `${name}=${below._name}` : `${name}/`;
    })
    .join('\n');
}
