import WebSocket from 'ws';
import type { Timers } from '../../shared/clock.ts';
import { MESSAGE_BYTES_MAX } from '../../shared/limits.ts';
import { errorText } from '../log.ts';
import { parseRetryAfter, type Transport, type TransportEnd } from './transport.ts';

/** From the first packet to the upgraded socket. */
const HANDSHAKE_TIMEOUT_MS = 15_000;
const NORMAL_CLOSURE = 1000;

/** The link as one WebSocket. */
export function websocketTransport(options: { edgeUrl: string; runnerId: string; time: Timers }): Transport {
  const url = `${options.edgeUrl.replace(/^http/, 'ws')}/aerostat/v1/runners/${encodeURIComponent(options.runnerId)}/link`;
  return {
    name: 'websocket',
    open(events) {
      const socket = new WebSocket(url, {
        handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
        maxPayload: MESSAGE_BYTES_MAX,
        perMessageDeflate: false,
      });
      let over = false;
      const end = (why: TransportEnd) => {
        if (over) return;
        over = true;
        socket.terminate();
        events.closed(why);
      };
      socket.on('message', (data, isBinary) => {
        if (!over) events.frame(isBinary ? '' : data.toString());
      });
      socket.on('unexpected-response', (_request, response) => {
        const retryAfterMs = parseRetryAfter(response.headers['retry-after'], options.time.nowMs());
        const status = response.statusCode ?? 0;
        end({
          reason: `the edge answered ${status} to the upgrade`,
          status,
          ...(retryAfterMs ? { retryAfterMs } : {}),
        });
      });
      socket.on('error', (error) => end({ reason: errorText(error) }));
      socket.on('close', (code, reason) => end({ reason: `closed by the edge: ${code} ${reason.toString()}`.trim() }));
      return {
        send(text) {
          if (!over && socket.readyState === WebSocket.OPEN) socket.send(text);
        },
        close() {
          if (over) return;
          over = true;
          if (socket.readyState === WebSocket.OPEN) socket.close(NORMAL_CLOSURE);
          else socket.terminate();
        },
      };
    },
  };
}
