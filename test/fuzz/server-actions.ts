import { z } from 'zod';
import { rebuildBody } from '../../worker/compute/actions/rebuild-schema.ts';
import { evacuateBody, liveBody, migrateBody, resizeBody } from '../../worker/compute/migrations/action-bodies.ts';
import {
  addFixedIpBody,
  addFloatingIpBody,
  changePasswordBody,
  consoleBody,
  createBackupBody,
  createImageBody,
  groupName,
  lockBody73,
  rebootBody,
  removeFixedIpBody,
  removeFloatingIpBody,
  rescueBody,
  resetStateBody,
  unshelveBody,
} from '../../worker/compute/servers/action-routes.ts';

const nothing = (...names: string[]) =>
  Object.fromEntries(names.map((name) => [name, z.strictObject({ [name]: z.null() })]));
const consoleOf = (name: string, type: string) => z.strictObject({ [name]: z.strictObject({ type: z.literal(type) }) });

/** The body of each action of a server, by its name. */
export const actionBodies = (version: number): Record<string, z.ZodType> => ({
  ...nothing('os-start', 'os-stop', 'pause', 'unpause', 'suspend', 'resume', 'unrescue', 'shelve', 'shelveOffload'),
  ...nothing('trigger_crash_dump', 'unlock', 'confirmResize', 'revertResize', 'forceDelete', 'unshelve', 'lock'),
  reboot: rebootBody,
  rescue: rescueBody,
  rebuild: rebuildBody(version),
  createImage: createImageBody,
  createBackup: createBackupBody,
  changePassword: changePasswordBody,
  addSecurityGroup: z.strictObject({ addSecurityGroup: groupName }),
  removeSecurityGroup: z.strictObject({ removeSecurityGroup: groupName }),
  addFixedIp: addFixedIpBody,
  removeFixedIp: removeFixedIpBody,
  addFloatingIp: addFloatingIpBody,
  removeFloatingIp: removeFloatingIpBody,
  resize: resizeBody,
  migrate: migrateBody(version),
  'os-migrateLive': liveBody(version),
  evacuate: evacuateBody(version),
  'os-resetState': resetStateBody,
  'os-getConsoleOutput': consoleBody,
  'os-getVNCConsole': consoleOf('os-getVNCConsole', 'novnc'),
  'os-getSPICEConsole': consoleOf('os-getSPICEConsole', 'spice-html5'),
  'os-getSerialConsole': consoleOf('os-getSerialConsole', 'serial'),
  // What they took before these versions is nothing.
  ...(version >= 77 ? { unshelve: unshelveBody(version) } : {}),
  ...(version >= 73 ? { lock: lockBody73 } : {}),
});
