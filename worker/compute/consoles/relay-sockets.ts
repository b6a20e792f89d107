/** The ends of a relay. */
export type Side = 'viewer' | 'machine';

/** The answer that opens a socket. Programs that view consoles ask for the protocol `binary`, and some insist on it. */
export function upgraded(request: Request, client: WebSocket): Response {
  const wanted = request.headers.get('sec-websocket-protocol')?.split(/, */).includes('binary');
  const headers: Record<string, string> = wanted ? { 'sec-websocket-protocol': 'binary' } : {};
  return new Response(null, { status: 101, webSocket: client, headers });
}

/** Without a code: what some viewers would take a reason for is data. */
export function hangUp(socket: WebSocket): void {
  try {
    socket.close();
  } catch {
    // It is closed.
  }
}
