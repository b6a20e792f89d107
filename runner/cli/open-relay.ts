import { createWebSocketStream, WebSocket } from 'ws';
import type { OpenRelay } from '../compute/context.ts';
import type { RunnerOptions } from '../config.ts';

const HANDSHAKE_TIMEOUT_MS = 10_000;
const MESSAGE_BYTES_MAX = 1024 * 1024;

/** Dials the edge for a console that somebody looks at, as the runner that the bearer names. */
export function relayFromEdge({ edgeUrl, bearer }: Pick<RunnerOptions, 'edgeUrl' | 'bearer'>): OpenRelay {
  return (relayId) =>
    new Promise((resolve, reject) => {
      const url = `${edgeUrl.replace(/^http/, 'ws')}/aerostat/v1/runner/consoles/${encodeURIComponent(relayId)}`;
      const socket = new WebSocket(url, {
        headers: { authorization: `Bearer ${bearer() ?? ''}` },
        handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
        maxPayload: MESSAGE_BYTES_MAX,
        perMessageDeflate: false,
      });
      // Before it opens, so that its first words are not lost.
      const stream = createWebSocketStream(socket);
      socket.once('open', () => resolve(stream));
      stream.once('error', reject);
    });
}
