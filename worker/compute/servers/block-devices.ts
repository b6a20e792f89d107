import { badRequest } from '../../http/errors.ts';
import type { BlockDevice, ServerRequest } from './create-schema.ts';

const invalid = (details: string) => badRequest(`Block Device Mapping is Invalid: ${details}`);
const NO_VOLUMES =
  'this cloud has no block storage service: boot from an image onto the local disk, without volumes, snapshots and further disks.';

/** Whether a mapping says no more than what happens anyway: the image on the server's own disk. */
function isImageOnLocalDisk(device: BlockDevice): boolean {
  const { source_type: source, destination_type: destination = 'local', boot_index: index } = device;
  return source === 'image' && destination === 'local' && index === 0;
}

/**
 * The image that a request boots from, named by itself or by its one block device.
 * @throws ApiError 400 none, two that differ, or a mapping that needs volumes
 */
export function bootImageOf(server: ServerRequest): string {
  const { block_device_mapping: legacy = [], block_device_mapping_v2: devices = [], imageRef } = server;
  if (legacy.length > 0 && devices.length > 0) {
    throw badRequest('Using different block_device_mapping syntaxes is not allowed in the same request.');
  }
  if (legacy.length > 0) throw invalid(NO_VOLUMES);
  const [device, ...more] = devices;
  if (device) {
    if (more.length > 0 || !isImageOnLocalDisk(device)) throw invalid(NO_VOLUMES);
    const id = device.uuid ?? device.image_id;
    if (!id) throw invalid('Missing device UUID.');
    if (imageRef && imageRef !== id)
      throw invalid('Boot sequence for the instance and image/block device mapping combination is not valid.');
    return id;
  }
  if (!imageRef) throw badRequest('Missing imageRef attribute');
  return imageRef;
}
