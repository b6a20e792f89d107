import { chmod, chown, mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { run } from '../host/run.ts';
import type { User } from '../host/users.ts';
import type { MetadataSubject } from '../network/metadata/answer.ts';
import { type Ec2Node, ec2MetaData } from '../network/metadata/ec2-tree.ts';
import { openstackTree } from '../network/metadata/openstack-tree.ts';
import type { GuestPaths } from './guest-paths.ts';

/** By which guests find it. */
const LABEL = 'config-2';
const READ_BY_GUEST_USER = 0o440;

/** Files of a config drive by path: what the metadata service would say. */
export function configDriveTree(subject: MetadataSubject): Map<string, Buffer> {
  const files = openstackTree(subject);
  const ec2 = Buffer.from(JSON.stringify(withoutNames(ec2MetaData(subject.metadata, subject))));
  for (const version of ['2009-04-04', 'latest']) {
    files.set(`ec2/${version}/meta-data.json`, ec2);
    if (subject.metadata.user_data !== null) {
      files.set(`ec2/${version}/user-data`, Buffer.from(subject.metadata.user_data, 'base64'));
    }
  }
  return files;
}

/** Makes a guest's config drive anew. */
export async function writeConfigDrive(subject: MetadataSubject, paths: GuestPaths, user: User): Promise<void> {
  const tree = await mkdtemp(join(paths.folder, 'config-'));
  const unfinished = `${paths.configDrive}.new`;
  try {
    for (const [path, content] of configDriveTree(subject)) {
      await mkdir(join(tree, dirname(path)), { recursive: true });
      await writeFile(join(tree, path), content);
    }
    await run('genisoimage', ['-quiet', '-o', unfinished, '-V', LABEL, '-J', '-r', '-ldots', '-allow-lowercase', tree]);
    await chown(unfinished, 0, user.gid);
    await chmod(unfinished, READ_BY_GUEST_USER);
    await rename(unfinished, paths.configDrive);
  } finally {
    await rm(tree, { recursive: true, force: true });
    await rm(unfinished, { force: true });
  }
}

function withoutNames(node: Ec2Node): Ec2Node {
  if (typeof node === 'string') return node;
  const entries = Object.entries(node).filter(([name]) => name !== '_name');
  return Object.fromEntries(entries.map(([name, below]) => [name, withoutNames(below)]));
}
