import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

const BYTES = 64 * 1024;

/** A web server with one image to download. */
export async function startImageHost(): Promise<{ url: string; stop(): Promise<void> }> {
  const image = Buffer.alloc(BYTES, 2);
  const server: Server = createServer((request, response) => {
    response.writeHead(200, { 'content-type': 'application/octet-stream', 'content-length': BYTES });
    response.end(request.method === 'HEAD' ? undefined : image);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/image.raw`,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
