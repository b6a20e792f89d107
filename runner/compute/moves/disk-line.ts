import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { type FileHandle, open, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { connect, createServer, type Server, type TLSSocket } from 'node:tls';
import { DriverError } from '../../driver.ts';
import { syncFolder } from '../../host/files.ts';
import { KEY_USER } from './move-keys.ts';

/*
 * A disk travels over TLS with the move's own key: its length in 8 bytes, its bytes, their SHA-256. The receiver answers
 * one byte once the disk is verified and on its own disk for good, and ends the connection otherwise.
 */

const CIPHERS = 'ECDHE-PSK-CHACHA20-POLY1305';
const TLS = { ciphers: CIPHERS, minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2' } as const;
const LENGTH_BYTES = 8;
const DIGEST_BYTES = 32;
const TAKEN = 0x06;
/** Nothing came or went for so long: the line is dead, whatever TCP says. */
const IDLE_MS = 20_000;
const CONNECT_TIMEOUT_MS = 10_000;
/** One sends; others are of tries that broke off. */
const CONNECTIONS_MAX = 4;

/** A disk that is awaited. */
export class DiskReceiver {
  readonly #server: Server;
  readonly #path: string;
  readonly #finish: (part: string) => Promise<void>;

  private constructor(server: Server, of: { path: string; finish(part: string): Promise<void> }) {
    this.#server = server;
    this.#path = of.path;
    this.#finish = of.finish;
  }

  /**
   * Listens for a disk, and puts it at the path once it came whole.
   * @param of.finish - what is to be done to the file before
   * @throws where the port is taken
   */
  static async open(of: {
    address: string;
    port: number;
    key: string;
    path: string;
    finish(part: string): Promise<void>;
  }): Promise<DiskReceiver> {
    const key = Buffer.from(of.key, 'hex');
    const server = createServer({ ...TLS, pskCallback: (_socket, user) => (user === KEY_USER ? key : null) });
    server.maxConnections = CONNECTIONS_MAX;
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(of.port, of.address, resolve);
    });
    const receiver = new DiskReceiver(server, of);
    server.on('secureConnection', (socket) => receiver.#take(socket));
    return receiver;
  }

  close(): void {
    this.#server.close();
  }

  #take(socket: TLSSocket): void {
    socket.setTimeout(IDLE_MS, () => socket.destroy());
    socket.on('error', () => {});
    receive(socket, this.#path, this.#finish).then(
      () => socket.end(Buffer.of(TAKEN)),
      () => socket.destroy(),
    );
  }
}

let parts = 0;

async function receive(socket: TLSSocket, path: string, finish: (part: string) => Promise<void>): Promise<void> {
  const part = `${path}.${process.pid}.${parts++}.part`;
  try {
    const file = await open(part, 'w', 0o600);
    try {
      await copyIn(socket, file);
      await file.sync();
    } finally {
      await file.close();
    }
    await finish(part);
    await rename(part, path);
    await syncFolder(dirname(path));
  } finally {
    await rm(part, { force: true });
  }
}

/** Writes the bytes of the disk alone. @throws when they did not come whole */
async function copyIn(socket: TLSSocket, file: FileHandle): Promise<void> {
  const hash = createHash('sha256');
  let head = Buffer.alloc(0);
  let left_bytes = -1;
  let tail = Buffer.alloc(0);
  for await (const chunk of socket.iterator({ destroyOnReturn: false })) {
    let rest = chunk as Buffer;
    if (left_bytes < 0) {
      head = Buffer.concat([head, rest]);
      if (head.length < LENGTH_BYTES) continue;
      left_bytes = Number(head.readBigUInt64BE());
      rest = head.subarray(LENGTH_BYTES);
    }
    const data = rest.subarray(0, left_bytes);
    left_bytes -= data.length;
    hash.update(data);
    await file.writeFile(data);
    tail = Buffer.concat([tail, rest.subarray(data.length)]);
    if (left_bytes === 0 && tail.length >= DIGEST_BYTES) {
      if (!tail.equals(hash.digest())) throw new Error('the disk is not what was sent');
      return;
    }
  }
  throw new Error('the disk did not come whole');
}

/**
 * Sends a disk, and returns once the other machine has all of it, verified, on its own disk.
 * @param of.progress - called with what has gone and what there is in all
 * @throws DriverError
 */
export async function sendDisk(of: {
  path: string;
  address: string;
  port: number;
  key: string;
  signal: AbortSignal;
  progress(sent_bytes: number, total_bytes: number): void;
}): Promise<void> {
  const { size } = await stat(of.path);
  const socket = await dial(of);
  const hash = createHash('sha256');
  let sent = 0;
  const stop = () => socket.destroy(new Error('called off'));
  of.signal.addEventListener('abort', stop, { once: true });
  if (of.signal.aborted) stop();
  try {
    const taken = answer(socket);
    taken.catch(() => {});
    const head = Buffer.alloc(LENGTH_BYTES);
    head.writeBigUInt64BE(BigInt(size));
    socket.write(head);
    const bytes = async function* () {
      if (size === 0) return;
      for await (const chunk of createReadStream(of.path, { end: size - 1, highWaterMark: 1024 * 1024 })) {
        hash.update(chunk as Buffer);
        sent += (chunk as Buffer).length;
        of.progress(sent, size);
        yield chunk;
      }
    };
    await pipeline(bytes, socket, { end: false });
    if (sent !== size) throw new Error('the disk changed while it was sent');
    socket.write(hash.digest());
    await taken;
  } catch (error) {
    throw new DriverError(`The disk was not sent: ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    });
  } finally {
    of.signal.removeEventListener('abort', stop);
    socket.destroy();
  }
}

function dial(of: { address: string; port: number; key: string }): Promise<TLSSocket> {
  const psk = Buffer.from(of.key, 'hex');
  return new Promise((resolve, reject) => {
    const fail = (error: Error) =>
      reject(new DriverError(`The other machine is not reached at ${of.address}, port ${of.port}: ${error.message}`));
    const socket = connect({
      ...TLS,
      host: of.address,
      port: of.port,
      pskCallback: () => ({ psk, identity: KEY_USER }),
      // The key itself says who the other side is: there is no certificate.
      checkServerIdentity: () => undefined,
    });
    const timer = setTimeout(() => socket.destroy(new Error('no answer')), CONNECT_TIMEOUT_MS);
    socket.once('error', fail);
    socket.once('secureConnect', () => {
      clearTimeout(timer);
      socket.off('error', fail).on('error', () => {});
      socket.setTimeout(IDLE_MS, () => socket.destroy(new Error('nothing gets through')));
      resolve(socket);
    });
    socket.once('close', () => clearTimeout(timer));
  });
}

function answer(socket: TLSSocket): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once('data', (data: Buffer) => (data[0] === TAKEN ? resolve() : reject(new Error('refused'))));
    socket.once('close', () => reject(new Error('the other machine did not take it')));
  });
}
