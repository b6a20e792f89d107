import type { IncomingMessage } from 'node:http';

/** Where a guest tells the password that it set for itself, and reads it: from this version of the metadata on. */
const PATH = /^\/openstack\/(\d{4}-\d{2}-\d{2}|latest)\/password$/;
const SINCE = '2013-04-04';
/** As Nova takes: four chunks of 255. */
const PASSWORD_BYTES_MAX = 1020;

/** Keeps what guests tell, by the server's id. */
export interface TellPassword {
  /** What was told; empty where nothing was. */
  read(serverId: string): Promise<string>;
  /** False where something was told before and not cleared. */
  tell(serverId: string, text: string): Promise<boolean>;
}

/** Whether a request is about the guest's password. */
export const isPasswordPath = (path: string): boolean => (PATH.exec(path)?.[1] ?? '') >= SINCE;

/** Answers a request about a guest's password as Nova does. @returns the status and what to say */
export async function answerPassword(
  passwords: TellPassword,
  serverId: string,
  request: IncomingMessage,
): Promise<{ status: number; text: string }> {
  if (request.method !== 'POST') return { status: 200, text: await passwords.read(serverId) };
  const text = await bodyOf(request);
  if (text === null || text === '') return { status: 400, text: 'Request is too large.' };
  return (await passwords.tell(serverId, text)) ? { status: 200, text: '' } : { status: 409, text: 'Password is set.' };
}

/** The body as text; null when it is longer than a password may be. */
async function bodyOf(request: IncomingMessage): Promise<string | null> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > PASSWORD_BYTES_MAX) return null;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
