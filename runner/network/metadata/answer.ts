import { EC2_VERSIONS, type Ec2Node, ec2MetaData, ec2Text } from './ec2-tree.ts';
import { type GuestDocuments, openstackTree } from './openstack-tree.ts';
import { isPasswordPath } from './password.ts';

export interface MetadataSubject extends GuestDocuments {
  imageId: string;
  fixedIpv4: string | null;
  /** What the world calls it; null where it has no such address. */
  floatingIpv4: string | null;
}

export interface MetadataAnswer {
  type: string;
  body: Buffer;
}

const text = (body: string): MetadataAnswer => ({ type: 'text/plain; charset=UTF-8', body: Buffer.from(body) });

/** What the metadata service says at a path, for the guest that asks; null is 404. */
export function metadataAnswer(path: string, subject: MetadataSubject): MetadataAnswer | null {
  const parts = path.split('/').filter((part) => part !== '');
  if (parts.length === 0) return text(EC2_VERSIONS.join('\n'));
  if (parts[0] === 'openstack') return openstackAnswer(parts, subject);
  return ec2Answer(parts, subject);
}

function openstackAnswer(parts: string[], subject: MetadataSubject): MetadataAnswer | null {
  const files = openstackTree(subject);
  const file = files.get(parts.join('/'));
  if (file) {
    const json = parts.at(-1)?.endsWith('.json');
    return { type: json ? 'application/json' : 'application/octet-stream', body: file };
  }
  const folder = `${parts.join('/')}/`;
  const below = new Set<string>();
  for (const path of files.keys()) {
    if (!path.startsWith(folder)) continue;
    const [name, ...more] = path.slice(folder.length).split('/');
    below.add(more.length > 0 ? `${name}/` : (name ?? ''));
  }
  if (isPasswordPath(`/${folder}password`)) below.add('password');
  // Versions are listed bare, as Nova does.
  return below.size > 0 ? text([...below].map((name) => name.replace(/\/$/, '')).join('\n')) : null;
}

function ec2Answer(parts: string[], subject: MetadataSubject): MetadataAnswer | null {
  const [version = '', section, ...rest] = parts;
  if (!EC2_VERSIONS.includes(version)) return null;
  const { metadata } = subject;
  if (section === undefined) return text(metadata.user_data === null ? 'meta-data/' : 'meta-data/\nuser-data');
  if (section === 'user-data') {
    if (metadata.user_data === null || rest.length > 0) return null;
    return { type: 'application/octet-stream', body: Buffer.from(metadata.user_data, 'base64') };
  }
  if (section !== 'meta-data') return null;
  const tree: Ec2Node = ec2MetaData(metadata, subject);
  const answer = ec2Text(tree, rest);
  return answer === null ? null : text(answer);
}
