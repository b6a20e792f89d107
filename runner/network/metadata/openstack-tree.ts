import type { GuestMetadata } from '../../../shared/specs/server.ts';

/** Versions of the metadata that Nova offers, oldest first, and what each added. */
const VERSIONS = [
  '2012-08-10',
  '2013-04-04',
  '2013-10-17',
  '2015-10-15',
  '2016-06-30',
  '2016-10-06',
  '2017-02-22',
  '2018-08-27',
  '2020-10-14',
  'latest',
] as const;
const RANDOM_SEED_SINCE = '2013-04-04';
const VENDOR_DATA_SINCE = '2013-10-17';
const NETWORK_DATA_SINCE = '2015-10-15';
const PROJECT_SINCE = '2015-10-15';
const DEVICES_SINCE = '2016-06-30';
const VENDOR_DATA2_SINCE = '2016-10-06';
const DEDICATED_CPUS_SINCE = '2020-10-14';

/** A device by which a guest finds it: the address of an interface, and what its owner calls it. */
export interface TaggedDevice {
  mac: string;
  tag: string;
}

export interface GuestDocuments {
  metadata: GuestMetadata;
  networkData: Record<string, unknown>;
  /** Interfaces that have a tag. */
  devices: TaggedDevice[];
  /** Base64 of random bytes, which a guest feeds to its generator. */
  randomSeed: string;
}

/** Files of the OpenStack metadata by their path, e.g. `openstack/latest/meta_data.json`. */
export function openstackTree(guest: GuestDocuments): Map<string, Buffer> {
  const files = new Map<string, Buffer>();
  const { metadata } = guest;
  for (const version of VERSIONS) {
    const has = (since: string) => version >= since;
    const json = (name: string, value: unknown) =>
      files.set(`openstack/${version}/${name}`, Buffer.from(JSON.stringify(value)));
    json('meta_data.json', metaData(guest, has));
    if (metadata.user_data !== null) {
      files.set(`openstack/${version}/user_data`, Buffer.from(metadata.user_data, 'base64'));
    }
    if (has(VENDOR_DATA_SINCE)) json('vendor_data.json', metadata.vendor_data);
    if (has(VENDOR_DATA2_SINCE)) {
      json('vendor_data2.json', Object.keys(metadata.vendor_data).length > 0 ? { static: metadata.vendor_data } : {});
    }
    if (has(NETWORK_DATA_SINCE)) json('network_data.json', guest.networkData);
  }
  for (const [index, file] of (metadata.files ?? []).entries()) {
    files.set(`openstack/${contentPath(index)}`, Buffer.from(file.contents, 'base64'));
  }
  return files;
}

const contentPath = (index: number) => `content/${String(index).padStart(4, '0')}`;

function metaData(
  { metadata, randomSeed, devices }: GuestDocuments,
  has: (since: string) => boolean,
): Record<string, unknown> {
  const keys = Object.entries(metadata.public_keys);
  const files = (metadata.files ?? []).map(({ path }, index) => ({ path, content_path: `/${contentPath(index)}` }));
  return {
    uuid: metadata.uuid,
    ...(Object.keys(metadata.meta).length > 0 ? { meta: metadata.meta } : {}),
    ...(keys.length > 0
      ? {
          public_keys: metadata.public_keys,
          keys: keys.map(([name, data]) => ({ name, type: 'ssh', data })),
        }
      : {}),
    hostname: metadata.hostname,
    name: metadata.name,
    ...(files.length > 0 ? { files } : {}),
    launch_index: metadata.launch_index,
    availability_zone: metadata.availability_zone,
    ...(has(RANDOM_SEED_SINCE) ? { random_seed: randomSeed } : {}),
    ...(has(PROJECT_SINCE) ? { project_id: metadata.project_id } : {}),
    ...(has(DEVICES_SINCE)
      ? { devices: devices.map(({ mac, tag }) => ({ type: 'nic', bus: 'pci', mac, tags: [tag] })) }
      : {}),
    ...(has(DEDICATED_CPUS_SINCE) ? { dedicated_cpus: [] } : {}),
  };
}
