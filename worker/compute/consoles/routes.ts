import { Hono } from 'hono';
import { z } from 'zod';
import { badRequest, notFound } from '../../http/errors.ts';
import { authorize } from '../../http/policy.ts';
import { actorOf, type ComputeContext, type ComputeEnv } from '../http/env.ts';
import { check, checkedBody } from '../http/validate.ts';
import { policy } from '../policy.ts';
import { type ConsoleType, createConsole, findConsole } from './create-console.ts';

const PROTOCOLS = ['vnc', 'spice', 'serial', 'rdp'] as const;
const TYPES = ['novnc', 'xvpvnc', 'spice-html5', 'serial', 'rdp-html5'] as const;
const consoleOf = <P extends readonly [string, ...string[]], T extends readonly [string, ...string[]]>(p: P, t: T) =>
  z.strictObject({ remote_console: z.strictObject({ protocol: z.enum(p), type: z.enum(t) }) });
const body = consoleOf(PROTOCOLS, TYPES);
export const consoleBody8 = consoleOf([...PROTOCOLS, 'mks'], [...TYPES, 'webmks']);
/** Where the guests' consoles are not reached over the network there is no port to tell. */
const NO_PORT = 0;
/** What there is of each protocol: the rest is for other hypervisors. */
const OFFERED: Readonly<Record<string, ConsoleType>> = { vnc: 'novnc', serial: 'serial' };

/** `POST /servers/{id}/remote-consoles`, from 2.6. */
export async function remoteConsole(c: ComputeContext): Promise<Response> {
  if (c.get('microversion') < 6) throw notFound('The resource could not be found.');
  const schema: z.ZodType<{ remote_console: { protocol: string; type: string } }> =
    c.get('microversion') >= 8 ? consoleBody8 : body;
  const { protocol, type } = (await checkedBody(c, schema)).remote_console;
  if (OFFERED[protocol] !== type) throw badRequest(`Unavailable console type ${type}.`);
  const verb = `get_${protocol}_console`;
  const url = await createConsole(actorOf(c), c.req.param('id') ?? '', { type: type as ConsoleType, verb });
  return c.json({ remote_console: { protocol, type, url } });
}

const oldTypes: Readonly<Record<string, readonly [string, ...string[]]>> = {
  'os-getVNCConsole': ['novnc', 'xvpvnc'],
  'os-getSPICEConsole': ['spice-html5'],
  'os-getSerialConsole': ['serial'],
};

/** An action that asks for a console, before 2.6. */
export async function oldConsole(c: ComputeContext, id: string, sent: unknown, action: string): Promise<Response> {
  if (c.get('microversion') >= 6) throw notFound('The resource could not be found.');
  const types = oldTypes[action] ?? ['none'];
  const schema = z.strictObject({ [action]: z.strictObject({ type: z.enum(types) }) });
  const type = (check(sent, schema)[action] as { type: string }).type;
  if (!Object.values<string>(OFFERED).includes(type)) throw badRequest(`Unavailable console type ${type}.`);
  const verb = type === 'serial' ? 'get_serial_console' : 'get_vnc_console';
  const url = await createConsole(actorOf(c), id, { type: type as ConsoleType, verb });
  return c.json({ console: { type, url } });
}

/** `/os-console-auth-tokens`: what a proxy asks before it connects somebody. */
export const consoleTokenRoutes = new Hono<ComputeEnv>();

consoleTokenRoutes.get('/:token', async (c) => {
  const ctx = actorOf(c);
  authorize(ctx, policy, 'os_compute_api:os-console-auth-tokens');
  if (c.get('microversion') < 31) throw badRequest('The server could not comply with the request.');
  const found = await findConsole(ctx, c.req.param('token'));
  if (!found) throw notFound('Token not found');
  const console = { instance_uuid: found.serverId, host: found.host, port: NO_PORT, internal_access_path: null };
  return c.json({ console });
});
