import { Agent, type IncomingHttpHeaders, request } from 'node:http';

/** A request as it goes over the wire: the path is sent as it stands. */
export interface Wire {
  method: string;
  path: string;
  headers: Record<string, string>;
  body: Buffer | undefined;
}

export interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  text: string;
}

/** The edge gave no whole answer: it hung, or cut the connection. */
export class NoAnswer extends Error {}

const agent = new Agent({ keepAlive: true, maxSockets: 8 });

/** Sends a request and reads the whole answer. @throws NoAnswer */
export function send(origin: string, { method, path, headers, body }: Wire, deadlineMs: number): Promise<Answer> {
  const { hostname, port } = new URL(origin);
  return new Promise((resolve, reject) => {
    const length = body ? { 'content-length': String(body.length) } : {};
    const sent = request({ agent, host: hostname, port, method, path, headers: { ...headers, ...length } });
    const timer = setTimeout(() => sent.destroy(new Error(`no answer within ${deadlineMs} ms`)), deadlineMs);
    const fail = (error: Error) => {
      clearTimeout(timer);
      reject(new NoAnswer(error.message, { cause: error }));
    };
    sent.on('error', fail);
    sent.on('response', (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', fail);
      response.on('end', () => {
        clearTimeout(timer);
        const text = Buffer.concat(chunks).toString();
        resolve({ status: response.statusCode ?? 0, headers: response.headers, text });
      });
    });
    sent.end(body);
  });
}

/** Ends the kept connections. */
export const closeConnections = (): void => agent.destroy();
