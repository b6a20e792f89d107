import type { Duplex } from 'node:stream';
import type { Accelerator } from '../host/accelerator.ts';
import type { Cgroups } from '../host/cgroups.ts';
import type { User } from '../host/users.ts';
import type { Log } from '../log.ts';
import type { Inventory } from '../network/inventory.ts';
import type { Names } from '../network/names.ts';
import type { ImageCache } from './images/image-cache.ts';
import type { UploadImage } from './images/upload.ts';

/** @param relayId - as the edge named it @throws where the edge does not answer */
export type OpenRelay = (relayId: string) => Promise<Duplex>;

/** What everything that handles guests shares on one machine. */
export interface ComputeContext {
  stateDir: string;
  names: Names;
  inventory: Inventory;
  images: ImageCache;
  uploadImage: UploadImage;
  /** Dials the edge for a console that somebody looks at. */
  openRelay: OpenRelay;
  cgroups: Cgroups;
  accelerator: Accelerator;
  user: User;
  /** Groups that a guest's process has beside its own, for the devices it opens. */
  deviceGroups: number[];
  bootId: string;
  adminShell: boolean;
  powerdownGrace_ms: number;
  log: Log;
  random: () => number;
  /** Where other machines reach this one for a move. @throws DriverError where nothing says it */
  moveAddress(): Promise<string>;
}
