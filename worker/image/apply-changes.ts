import { conflict, forbidden } from '../http/errors.ts';
import { BASE_MEMBERS, type BaseMember, type ImageBody } from './image-body.ts';
import type { ImageChange } from './json-patch.ts';
import { checkProperties, distinctTags } from './quotas.ts';
import type { ImageRow } from './views.ts';

/** An image after changes that `parseChanges` has checked. */
export type ChangedImage = Pick<
  ImageRow,
  | 'name'
  | 'visibility'
  | 'protected'
  | 'osHidden'
  | 'projectId'
  | 'containerFormat'
  | 'diskFormat'
  | 'minDiskGib'
  | 'minRamMib'
  | 'properties'
  | 'tags'
>;

const isBase = (member: string): member is BaseMember => (BASE_MEMBERS as readonly string[]).includes(member);

/**
 * Applies changes in their order. The row stays as it is.
 * @throws ApiError 403 a base member removed, or a format changed once there is data; 409 an extra property that is
 *   missing, or in the older media type there already; 413 too many properties or tags
 */
export function applyChanges(row: ImageRow, changes: ImageChange[]): ChangedImage {
  const { name, visibility, osHidden, projectId, containerFormat, diskFormat, minDiskGib, minRamMib, tags } = row;
  const changed: ChangedImage = {
    ...{ name, visibility, osHidden, projectId, containerFormat, diskFormat, minDiskGib, minRamMib, tags },
    protected: row.protected,
    properties: { ...row.properties },
  };
  for (const change of changes) applyChange(row, changed, change);
  const added = Object.keys(changed.properties).some((property) => !Object.hasOwn(row.properties, property));
  if (added) checkProperties(changed.properties);
  return changed;
}

function applyChange(row: ImageRow, changed: ChangedImage, change: ImageChange): void {
  const { op, member } = change;
  const present = isBase(member) || Object.hasOwn(changed.properties, member);
  if (op === 'remove') {
    if (isBase(member)) throw forbidden(`Property ${member} may not be removed.`);
    if (!present) throw conflict(`Property ${member} does not exist.`);
    delete changed.properties[member];
    return;
  }
  if (op === 'replace' && !present) throw conflict(`Property ${member} does not exist.`);
  if (op === 'add' && present && change.strictAdd) throw conflict(`Property ${member} already present.`);
  if (isBase(member)) {
    if (member === 'container_format' || member === 'disk_format') checkQueued(row, member);
    Object.assign(changed, COLUMNS[member](change.value as never));
  } else if (change.value === null) {
    delete changed.properties[member];
  } else {
    // defineProperty, as a property may be called __proto__.
    Object.defineProperty(changed.properties, member, {
      value: change.value,
      enumerable: true,
      configurable: true,
      writable: true,
    });
  }
}

/** What each base member sets, of a value that `parseChanges` has checked. */
const COLUMNS: { [M in BaseMember]: (value: Exclude<ImageBody[M], undefined>) => Partial<ChangedImage> } = {
  name: (name) => ({ name }),
  visibility: (visibility) => ({ visibility }),
  protected: (isProtected) => ({ protected: isProtected }),
  os_hidden: (osHidden) => ({ osHidden }),
  owner: (projectId) => ({ projectId }),
  container_format: (containerFormat) => ({ containerFormat }),
  disk_format: (diskFormat) => ({ diskFormat }),
  min_disk: (minDiskGib) => ({ minDiskGib }),
  min_ram: (minRamMib) => ({ minRamMib }),
  tags: (tags) => ({ tags: distinctTags(tags) }),
};

function checkQueued(row: ImageRow, member: string): void {
  if (row.status !== 'queued') throw forbidden(`Attribute ${member} can be only replaced for a queued image.`);
}
