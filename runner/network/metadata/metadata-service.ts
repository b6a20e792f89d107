import { randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { errorText, type Log } from '../../log.ts';
import { canonicalAddress } from '../addresses.ts';
import type { Inventory } from '../inventory.ts';
import { METADATA_ADDRESS } from '../names.ts';
import { metadataAnswer } from './answer.ts';
import { answerPassword, isPasswordPath, type TellPassword } from './password.ts';
import { subjectOf } from './subject.ts';

const CONNECTIONS_MAX = 256;
const REQUEST_TIMEOUT_MS = 10_000;
const HEADER_BYTES_MAX = 8 * 1024;

/**
 * Tells guests about themselves: a listener a network, for which network asks is known by the port that the rules send it
 * to, and which guest by its address, which it cannot forge. Needs nothing but the inventory.
 */
export class MetadataService {
  readonly #inventory: Inventory;
  readonly #log: Log;
  readonly #servers = new Map<string, Server>();
  /** Nobody keeps what guests tell until somebody does. */
  passwords: TellPassword = { read: async () => '', tell: async () => false };

  constructor(inventory: Inventory, log: Log) {
    this.#inventory = inventory;
    this.#log = log;
  }

  /** Listens for a network, whose bridge must have the metadata address; answers the local port. */
  async listen(networkId: string): Promise<number> {
    const server = this.#servers.get(networkId) ?? createServer(this.#options, this.#handler(networkId));
    if (!this.#servers.has(networkId)) {
      this.#servers.set(networkId, server);
      server.maxConnections = CONNECTIONS_MAX;
      await new Promise<void>((resolve, reject) => {
        server.once('error', reject);
        server.listen(0, METADATA_ADDRESS, resolve);
      }).catch((error: unknown) => {
        this.#servers.delete(networkId);
        throw error;
      });
    }
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error(`metadata of ${networkId} has no port`);
    return address.port;
  }

  /** Stops listening for a network. */
  async stop(networkId: string): Promise<void> {
    const server = this.#servers.get(networkId);
    this.#servers.delete(networkId);
    server?.closeAllConnections();
    await new Promise<void>((resolve) => (server ? server.close(() => resolve()) : resolve()));
  }

  async close(): Promise<void> {
    await Promise.all([...this.#servers.keys()].map((id) => this.stop(id)));
  }

  get #options() {
    return { maxHeaderSize: HEADER_BYTES_MAX, requestTimeout: REQUEST_TIMEOUT_MS, headersTimeout: REQUEST_TIMEOUT_MS };
  }

  #handler(networkId: string) {
    return (request: IncomingMessage, response: ServerResponse): void => {
      this.#serve(networkId, request, response).catch((error: unknown) => {
        this.#log.error('metadata-failed', { network: networkId, error: errorText(error) });
        response.writeHead(500).end();
      });
    };
  }

  async #serve(networkId: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = new URL(request.url ?? '/', 'http://metadata').pathname;
    const allowed = isPasswordPath(path) ? ['GET', 'HEAD', 'POST'] : ['GET', 'HEAD'];
    if (!allowed.includes(request.method ?? '')) {
      response.writeHead(405, { allow: allowed.join(', ') }).end();
      return;
    }
    const address = canonicalAddress((request.socket.remoteAddress ?? '').replace(/^::ffff:/, ''));
    const subject = subjectOf(this.#inventory, networkId, address, () => randomBytes(512).toString('base64'));
    if (subject && isPasswordPath(path)) {
      const { status, text } = await answerPassword(this.passwords, subject.metadata.uuid, request);
      response.writeHead(status, { 'content-type': 'text/plain; charset=UTF-8', connection: 'close' }).end(text);
      return;
    }
    const answer = subject && metadataAnswer(path, subject);
    if (!answer) {
      response.writeHead(404, { 'content-type': 'text/plain; charset=UTF-8' }).end('404 Not Found\n');
      return;
    }
    response.writeHead(200, { 'content-type': answer.type, 'content-length': answer.body.length });
    response.end(request.method === 'HEAD' ? undefined : answer.body);
  }
}
