import type { FlavorSnapshot } from '../../../db/schema/compute.ts';
import type { ActorContext } from '../../http/context.ts';
import { badRequest, forbidden } from '../../http/errors.ts';
import { isAdmin } from '../../http/policy.ts';
import type { ServerImage } from '../../image/image-ref.ts';
import type { Claim } from '../schedule/hosts.ts';

const GIB = 1024 ** 3;

/**
 * What a server of a flavor and an image takes of its host.
 * @throws ApiError 400 the image does not fit, or disks that no host here makes; 403 a flavor without a disk for anyone
 *   but an admin, as the image's size would then be what counts
 */
export function claimOf(ctx: ActorContext, flavor: FlavorSnapshot, image: ServerImage): Claim {
  if (flavor.ephemeralGib > 0 || flavor.swapMib > 0) {
    throw badRequest(
      `Flavor ${flavor.id} has an ephemeral or a swap disk, which no host here makes: choose one without.`,
    );
  }
  checkFits(flavor, image);
  if (flavor.diskGib > 0) return { vcpus: flavor.vcpus, memoryMib: flavor.ramMib, diskGib: flavor.diskGib };
  if (!isAdmin(ctx)) throw forbidden('Only volume-backed servers are allowed for flavors with zero disk.');
  return { vcpus: flavor.vcpus, memoryMib: flavor.ramMib, diskGib: Math.max(1, Math.ceil(sizeOf(image) / GIB)) };
}

const sizeOf = (image: ServerImage): number => image.virtualSizeBytes ?? image.image.size_bytes;

/** Whether a flavor's disk has room for an image; one without a disk has for any. */
export const holds = ({ diskGib }: Pick<FlavorSnapshot, 'diskGib'>, image: ServerImage): boolean =>
  diskGib === 0 || sizeOf(image) <= diskGib * GIB;

/** Whether an image runs on a flavor. @throws ApiError 400 too little memory or disk */
export function checkFits(flavor: Pick<FlavorSnapshot, 'ramMib' | 'diskGib'>, image: ServerImage): void {
  if (flavor.ramMib < image.minRamMib) throw badRequest("Flavor's memory is too small for requested image.");
  if (flavor.diskGib === 0) return;
  if (!holds(flavor, image)) {
    throw badRequest(
      `Flavor's disk is too small for requested image. Flavor disk is ${flavor.diskGib * GIB} bytes, image is ${sizeOf(image)} bytes.`,
    );
  }
  if (flavor.diskGib < image.minDiskGib) {
    throw badRequest(
      `Flavor's disk is smaller than the minimum size specified in image metadata. Flavor disk is ${flavor.diskGib * GIB} bytes, minimum size is ${image.minDiskGib * GIB} bytes.`,
    );
  }
}
