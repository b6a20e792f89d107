import { chmodSync, existsSync, unlinkSync } from 'node:fs';
import type { Server } from 'node:http';
import { connect } from 'node:net';

/** Where to listen: a loopback port, or a unix socket. */
export type ListenAddress = { host: string; port: number } | { path: string };

const LOOPBACK = /^(127\.0\.0\.1|localhost|\[::1\]):(\d{1,5})$/;
const PORT_MAX = 65_535;
const SOCKET_MODE = 0o600;

/** Parse `127.0.0.1:PORT` or `unix:PATH`; throws on anything else, for a token over plain HTTP must not leave the host. */
export function parseListen(text: string): ListenAddress {
  if (text.startsWith('unix:') && text.length > 'unix:'.length) return { path: text.slice('unix:'.length) };
  const [, host, port] = LOOPBACK.exec(text) ?? [];
  if (host === undefined || port === undefined || Number(port) > PORT_MAX) {
    throw new Error(`Cannot listen on ${JSON.stringify(text)}: 127.0.0.1:PORT or unix:PATH is needed`);
  }
  return { host: host.replace(/[[\]]/g, ''), port: Number(port) };
}

function isAnswered(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connect(path);
    probe.once('connect', () => {
      probe.destroy();
      resolve(true);
    });
    probe.once('error', () => resolve(false));
  });
}

function bind(server: Server, address: ListenAddress): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(address, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

/** Listen, and return the URL of what was bound. A socket left by a killed process is replaced, a living one is not. */
export async function listen(server: Server, address: ListenAddress): Promise<string> {
  if ('path' in address) {
    if (existsSync(address.path)) {
      if (await isAnswered(address.path)) throw new Error(`${address.path} is in use by another process`);
      unlinkSync(address.path);
    }
    await bind(server, address);
    chmodSync(address.path, SOCKET_MODE);
    return `unix:${address.path}`;
  }
  await bind(server, address);
  const bound = server.address();
  const port = typeof bound === 'object' && bound !== null ? bound.port : address.port;
  return `http://${address.host.includes(':') ? `[${address.host}]` : address.host}:${port}`;
}
