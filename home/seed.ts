import { createReadStream } from 'node:fs';
import { Readable } from 'node:stream';
import { KERNEL_ARGUMENTS } from '../test/guest/kernel.ts';
import type { ApiClient } from './api-client.ts';

/** What a new cloud has: a network that all share, a flavor or two, an image. */
export interface Seeded {
  networkId: string;
  imageId: string;
  flavorId: string;
}

export interface SeedOptions {
  /** Addresses of the shared network's guests. */
  cidr: string;
  guest: { kernel: string; ramdisk: string; disk: string };
}

export const SEED_NETWORK = 'shared';
export const SEED_IMAGE = 'aerostat-guest';
const FLAVORS = [
  { name: 'm1.nano', ram: 192, vcpus: 1, disk: 1 },
  { name: 'm1.small', ram: 2048, vcpus: 1, disk: 20 },
  { name: 'm1.medium', ram: 4096, vcpus: 2, disk: 40 },
];

/** Makes what is missing of a new cloud, through the public API. */
export async function seed(api: ApiClient, options: SeedOptions): Promise<Seeded> {
  const networkId = await seedNetwork(api, options.cidr);
  const flavorId = await seedFlavors(api);
  const kernel = await seedImage(api, `${SEED_IMAGE}-kernel`, options.guest.kernel, {
    disk_format: 'aki',
    container_format: 'aki',
  });
  const ramdisk = await seedImage(api, `${SEED_IMAGE}-ramdisk`, options.guest.ramdisk, {
    disk_format: 'ari',
    container_format: 'ari',
  });
  const imageId = await seedImage(api, SEED_IMAGE, options.guest.disk, {
    disk_format: 'qcow2',
    container_format: 'bare',
    kernel_id: kernel,
    ramdisk_id: ramdisk,
    os_command_line: KERNEL_ARGUMENTS,
  });
  return { networkId, imageId, flavorId };
}

async function seedNetwork(api: ApiClient, cidr: string): Promise<string> {
  const { networks } = await api.call<{ networks: { id: string }[] }>(
    'network',
    'GET',
    `/v2.0/networks?name=${SEED_NETWORK}&shared=true`,
  );
  if (networks[0]) return networks[0].id;
  const { network } = await api.call<{ network: { id: string } }>('network', 'POST', '/v2.0/networks', {
    network: { name: SEED_NETWORK, shared: true },
  });
  await api.call('network', 'POST', '/v2.0/subnets', {
    subnet: { name: `${SEED_NETWORK}-v4`, network_id: network.id, ip_version: 4, cidr },
  });
  return network.id;
}

async function seedFlavors(api: ApiClient): Promise<string> {
  const { flavors } = await api.call<{ flavors: { id: string; name: string }[] }>('compute', 'GET', '/flavors');
  const ids = new Map(flavors.map((flavor) => [flavor.name, flavor.id]));
  for (const flavor of FLAVORS) {
    if (ids.has(flavor.name)) continue;
    const made = await api.call<{ flavor: { id: string } }>('compute', 'POST', '/flavors', { flavor });
    ids.set(flavor.name, made.flavor.id);
  }
  return ids.get('m1.nano') ?? '';
}

async function seedImage(
  api: ApiClient,
  name: string,
  file: string,
  properties: Record<string, string>,
): Promise<string> {
  const found = await api.call<{ images: { id: string; status: string }[] }>(
    'image',
    'GET',
    `/v2/images?name=${name}&visibility=public`,
  );
  for (const image of found.images) {
    if (image.status === 'active') return image.id;
    // An upload that was cut short left it queued.
    await api.call('image', 'DELETE', `/v2/images/${image.id}`);
  }
  const { id } = await api.call<{ id: string }>('image', 'POST', '/v2/images', {
    name,
    visibility: 'public',
    ...properties,
  });
  const data = Readable.toWeb(createReadStream(file));
  await api.call('image', 'PUT', `/v2/images/${id}/file`, data, { 'content-type': 'application/octet-stream' });
  return id;
}
