import { z } from 'zod';
import { badRequest, notFound } from '../../http/errors.ts';
import { changePassword } from '../actions/change-password.ts';
import { consoleOutput } from '../actions/console-output.ts';
import { createBackup, createServerImage } from '../actions/create-image.ts';
import { addFixedIp, removeFixedIp } from '../actions/fixed-ips.ts';
import { addFloatingIp, removeFloatingIp } from '../actions/floating-ips.ts';
import { lockServer, unlockServer } from '../actions/lock-server.ts';
import { isNotOffered, refuseAction } from '../actions/not-offered.ts';
import { turnServer } from '../actions/power.ts';
import { rebootServer } from '../actions/reboot-server.ts';
import { rebuildBody } from '../actions/rebuild-schema.ts';
import { rebuildServer } from '../actions/rebuild-server.ts';
import { rescueServer, unrescueServer } from '../actions/rescue-server.ts';
import { resetState } from '../actions/reset-state.ts';
import { addSecurityGroup, removeSecurityGroup } from '../actions/security-groups.ts';
import { offloadShelved, shelveServer } from '../actions/shelve-server.ts';
import { triggerCrashDump } from '../actions/trigger-crash-dump.ts';
import { unshelveServer } from '../actions/unshelve-server.ts';
import { oldConsole } from '../consoles/routes.ts';
import { actorOf, type ComputeContext, renderingOf } from '../http/env.ts';
import type { Microversion } from '../http/microversion.ts';
import { INTEGER_MAX, integer, ipAddress, metadata, name, uuid } from '../http/parameters.ts';
import { check, readBody } from '../http/validate.ts';
import { evacuateBody, liveBody, migrateBody, resizeBody } from '../migrations/action-bodies.ts';
import { evacuateServer } from '../migrations/evacuate-server.ts';
import { liveMigrateServer, migrateServer } from '../migrations/migrate-server.ts';
import { resizeServer } from '../migrations/resize-server.ts';
import { confirmResize, revertResize } from '../migrations/settle-resize.ts';
import { deleteServer } from './delete-server.ts';
import { generatePassword } from './generated-text.ts';
import { serverView } from './views.ts';

type Handler = (c: ComputeContext, id: string, body: unknown) => Promise<Response>;

const only = <Shape extends z.ZodRawShape>(shape: Shape) => z.strictObject(shape);
export const rebootBody = only({
  reboot: z.strictObject({ type: z.enum(['HARD', 'Hard', 'hard', 'SOFT', 'Soft', 'soft']) }),
});
export const rescueBody = only({
  rescue: z.strictObject({ adminPass: z.string().optional(), rescue_image_ref: uuid.optional() }).nullable(),
});
export const createImageBody = only({ createImage: z.strictObject({ name, metadata: metadata.optional() }) });
export const createBackupBody = only({
  createBackup: z.strictObject({
    name,
    backup_type: z.string(),
    rotation: integer(0, INTEGER_MAX),
    metadata: metadata.optional(),
  }),
});
const unshelve77 = only({ unshelve: z.strictObject({ availability_zone: name }).nullable() });
const unshelve91 = only({
  unshelve: z
    .strictObject({ availability_zone: z.string().nullable().optional(), host: z.string().optional() })
    .nullable(),
});
type UnshelveBody = { unshelve: { availability_zone?: string | null | undefined; host?: string | undefined } | null };
/** Before it named a zone, whatever stood there was let pass. */
const unshelveAny = z.unknown().transform((): UnshelveBody => ({ unshelve: null }));
export const unshelveBody = (version: Microversion): z.ZodType<UnshelveBody> =>
  version >= 91 ? unshelve91 : version >= 77 ? unshelve77 : unshelveAny;
export const changePasswordBody = only({ changePassword: z.strictObject({ adminPass: z.string() }) });
export const groupName = z.strictObject({
  name: z.string().refine((text) => text.trim() !== '', { error: 'Security group name cannot be empty' }),
});
export const addFixedIpBody = only({
  addFixedIp: z.strictObject({ networkId: z.union([z.string().min(1).max(36), z.number()]) }),
});
export const removeFixedIpBody = only({ removeFixedIp: z.strictObject({ address: ipAddress }) });
export const addFloatingIpBody = only({
  addFloatingIp: z.strictObject({ address: ipAddress, fixed_address: ipAddress.optional() }),
});
export const removeFloatingIpBody = only({ removeFloatingIp: z.strictObject({ address: ipAddress }) });
export const resetStateBody = only({ 'os-resetState': z.strictObject({ state: z.enum(['active', 'error']) }) });
export const consoleBody = only({
  'os-getConsoleOutput': z.strictObject({ length: integer(-1, INTEGER_MAX).nullable().optional() }),
});
export const lockBody73 = only({
  lock: z.strictObject({ locked_reason: z.string().min(1).max(255).optional() }).nullable(),
});

const accepted = (c: ComputeContext) => c.body(null, 202);

/** Where the image is that was begun: in the body from 2.45, before by the address of Glance's. */
function imageAnswer(c: ComputeContext, imageId: string): Response {
  if (c.get('microversion') >= 45) return c.json({ image_id: imageId }, 202);
  return c.body(null, 202, { location: `${c.get('ctx').baseUrl}/image/v2/images/${imageId}` });
}

/** @throws ApiError 404 from 2.44, where networking alone gives addresses */
function untilMultinicEnds(c: ComputeContext): void {
  if (c.get('microversion') >= 44) throw notFound('The resource could not be found.');
}

async function turn(c: ComputeContext, id: string, verb: Parameters<typeof turnServer>[2]): Promise<Response> {
  await turnServer(actorOf(c), id, verb);
  return accepted(c);
}

/** What may be asked of a server, by the one member of the body. */
export const ACTIONS: Readonly<Record<string, Handler>> = {
  'os-start': (c, id) => turn(c, id, 'start'),
  'os-stop': (c, id) => turn(c, id, 'stop'),
  pause: (c, id) => turn(c, id, 'pause'),
  unpause: (c, id) => turn(c, id, 'unpause'),
  suspend: (c, id) => turn(c, id, 'suspend'),
  resume: (c, id) => turn(c, id, 'resume'),
  reboot: async (c, id, body) => {
    const { type } = check(body, rebootBody).reboot;
    await rebootServer(actorOf(c), id, type.toUpperCase() === 'HARD' ? 'HARD' : 'SOFT');
    return accepted(c);
  },
  rescue: async (c, id, body) => {
    const { rescue } = check(body, rescueBody);
    await rescueServer(actorOf(c), id, rescue?.rescue_image_ref ?? null);
    return c.json({ adminPass: rescue?.adminPass ?? generatePassword() });
  },
  unrescue: async (c, id) => {
    await unrescueServer(actorOf(c), id);
    return accepted(c);
  },
  rebuild: async (c, id, body) => {
    const rendering = renderingOf(c);
    const { rebuild } = check(body, rebuildBody(rendering.version));
    const row = await rebuildServer(actorOf(c), id, rebuild, rendering.version);
    const { 'OS-EXT-SRV-ATTR:user_data': _said, ...server }: Record<string, unknown> = serverView(row, rendering, {
      nowMs: c.get('ctx').clock.nowMs(),
      form: 'updated',
    });
    const later = {
      ...(rendering.version >= 54 ? { key_name: row.keyName } : {}),
      ...(rendering.version >= 57 ? { user_data: row.userData ?? null } : {}),
    };
    const location = `${rendering.links.self}/servers/${id}`;
    const adminPass = rebuild.adminPass ?? generatePassword();
    return c.json({ server: { ...server, ...later, adminPass } }, 202, { location });
  },
  createImage: async (c, id, body) => {
    const { name: imageName, metadata: items = {} } = check(body, createImageBody).createImage;
    return imageAnswer(c, await createServerImage(actorOf(c), id, { name: imageName, metadata: items }));
  },
  createBackup: async (c, id, body) => {
    const { name: imageName, backup_type, rotation, metadata: items = {} } = check(body, createBackupBody).createBackup;
    const wanted = { name: imageName, backupType: backup_type, rotation, metadata: items };
    const imageId = await createBackup(actorOf(c), id, wanted);
    return rotation === 0 && c.get('microversion') < 45 ? accepted(c) : imageAnswer(c, imageId);
  },
  shelve: async (c, id) => {
    await shelveServer(actorOf(c), id);
    return accepted(c);
  },
  shelveOffload: async (c, id) => {
    await offloadShelved(actorOf(c), id);
    return accepted(c);
  },
  unshelve: async (c, id, body) => {
    const to = check(body, unshelveBody(c.get('microversion'))).unshelve;
    await unshelveServer(actorOf(c), id, { zone: to?.availability_zone, host: to?.host });
    return accepted(c);
  },
  changePassword: async (c, id, body) => {
    check(body, changePasswordBody);
    await changePassword(actorOf(c), id);
    return accepted(c);
  },
  addSecurityGroup: async (c, id, body) => {
    await addSecurityGroup(actorOf(c), id, check(body, only({ addSecurityGroup: groupName })).addSecurityGroup.name);
    return accepted(c);
  },
  removeSecurityGroup: async (c, id, body) => {
    const { removeSecurityGroup: group } = check(body, only({ removeSecurityGroup: groupName }));
    await removeSecurityGroup(actorOf(c), id, group.name);
    return accepted(c);
  },
  addFixedIp: async (c, id, body) => {
    untilMultinicEnds(c);
    await addFixedIp(actorOf(c), id, String(check(body, addFixedIpBody).addFixedIp.networkId));
    return accepted(c);
  },
  removeFixedIp: async (c, id, body) => {
    untilMultinicEnds(c);
    await removeFixedIp(actorOf(c), id, check(body, removeFixedIpBody).removeFixedIp.address);
    return accepted(c);
  },
  addFloatingIp: async (c, id, body) => {
    untilMultinicEnds(c);
    const { address, fixed_address: fixedAddress } = check(body, addFloatingIpBody).addFloatingIp;
    await addFloatingIp(actorOf(c), id, { address, fixedAddress });
    return accepted(c);
  },
  removeFloatingIp: async (c, id, body) => {
    untilMultinicEnds(c);
    await removeFloatingIp(actorOf(c), id, check(body, removeFloatingIpBody).removeFloatingIp.address);
    return accepted(c);
  },
  'os-getVNCConsole': (c, id, body) => oldConsole(c, id, body, 'os-getVNCConsole'),
  'os-getSPICEConsole': (c, id, body) => oldConsole(c, id, body, 'os-getSPICEConsole'),
  'os-getSerialConsole': (c, id, body) => oldConsole(c, id, body, 'os-getSerialConsole'),
  trigger_crash_dump: async (c, id) => {
    if (c.get('microversion') < 17) throw notFound('The resource could not be found.');
    await triggerCrashDump(actorOf(c), id);
    return accepted(c);
  },
  lock: async (c, id, body) => {
    // Before it took a reason, whatever stood there was let pass.
    const reason = c.get('microversion') >= 73 ? check(body, lockBody73).lock?.locked_reason : null;
    await lockServer(actorOf(c), id, reason ?? null);
    return accepted(c);
  },
  unlock: async (c, id) => {
    await unlockServer(actorOf(c), id);
    return accepted(c);
  },
  resize: async (c, id, body) => {
    const { flavorRef, 'OS-DCF:diskConfig': diskConfig } = check(body, resizeBody).resize;
    await resizeServer(actorOf(c), id, flavorRef, diskConfig);
    return accepted(c);
  },
  confirmResize: async (c, id) => {
    await confirmResize(actorOf(c), id);
    return c.body(null, 204);
  },
  revertResize: async (c, id) => {
    await revertResize(actorOf(c), id);
    return accepted(c);
  },
  migrate: async (c, id, body) => {
    await migrateServer(actorOf(c), id, check(body, migrateBody(c.get('microversion'))).migrate?.host ?? null);
    return accepted(c);
  },
  'os-migrateLive': async (c, id, body) => {
    const { host, block_migration: blockMigration } = check(body, liveBody(c.get('microversion')))['os-migrateLive'];
    await liveMigrateServer(actorOf(c), id, { host, blockMigration });
    return accepted(c);
  },
  evacuate: async (c, id, body) => {
    const version = c.get('microversion');
    const { evacuate } = check(body, evacuateBody(version));
    await evacuateServer(actorOf(c), id, evacuate.host ?? null);
    if (version >= 14) return c.body(null, 200);
    const keepsDisk = 'onSharedStorage' in evacuate && evacuate.onSharedStorage;
    return c.json({ adminPass: keepsDisk ? null : (evacuate.adminPass ?? generatePassword()) });
  },
  forceDelete: async (c, id) => {
    await deleteServer(actorOf(c), id);
    return accepted(c);
  },
  'os-resetState': async (c, id, body) => {
    await resetState(actorOf(c), id, check(body, resetStateBody)['os-resetState'].state);
    return accepted(c);
  },
  'os-getConsoleOutput': async (c, id, body) => {
    const { length } = check(body, consoleBody)['os-getConsoleOutput'];
    const output = await consoleOutput(actorOf(c), id, length === undefined || length === -1 ? null : length);
    return c.json({ output });
  },
};

/** `POST /servers/{id}/action`. @throws ApiError 400 not one action, or one that is not offered */
export async function serverAction(c: ComputeContext): Promise<Response> {
  const body = await readBody(c);
  const names = body !== null && typeof body === 'object' && !Array.isArray(body) ? Object.keys(body) : [];
  const [action] = names;
  if (action === undefined || names.length > 1) throw badRequest('Malformed request body');
  const handler = Object.hasOwn(ACTIONS, action) ? ACTIONS[action] : undefined;
  const id = c.req.param('id') ?? '';
  if (handler) return handler(c, id, body);
  if (isNotOffered(action)) return refuseAction(actorOf(c), id, action, c.get('microversion'));
  throw badRequest(`There is no such action: ${action}`);
}
