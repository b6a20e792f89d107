import { Hono } from 'hono';
import { renderFault } from '../../fleet/faults.ts';
import type { AppEnv } from '../../http/context.ts';
import { ApiError } from '../../http/errors.ts';
import { type ConsoleType, SOCKETS } from './create-console.ts';
import { openConsole } from './open-console.ts';

/** `/aerostat/v1/consoles`: where the addresses lead that clients are given; the token in them is all that is asked. */
export const consoleViewers = new Hono<AppEnv>();
consoleViewers.onError((error, c) => renderFault(error, c));

for (const [type, path] of Object.entries(SOCKETS)) {
  consoleViewers.get(`/${path}`, (c) => {
    if (c.req.header('upgrade')?.toLowerCase() !== 'websocket') throw new ApiError(426, 'This is a WebSocket.');
    const token = c.req.query('token') ?? '';
    return openConsole(c.get('ctx'), { type: type as ConsoleType, token, upgrade: c.req.raw });
  });
}
