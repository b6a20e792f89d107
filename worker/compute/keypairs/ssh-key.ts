import { createHash } from 'node:crypto';
import { badRequest } from '../../http/errors.ts';

/** Bytes of a public key that are taken; RSA of 16,384 bits has about 2,100. */
const BLOB_BYTES_MAX = 8_192;
/** Key types of OpenSSH, each with the number of fields of its public key after the type. */
const FIELDS: Readonly<Record<string, number>> = {
  'ssh-rsa': 2,
  'ssh-dss': 4,
  'ssh-ed25519': 1,
  'ecdsa-sha2-nistp256': 2,
  'ecdsa-sha2-nistp384': 2,
  'ecdsa-sha2-nistp521': 2,
  'sk-ssh-ed25519@openssh.com': 2,
  'sk-ecdsa-sha2-nistp256@openssh.com': 3,
};

export const invalidKeypair = (reason: string) => badRequest(`Keypair data is invalid: ${reason}`);
const refused = () => invalidKeypair('failed to generate fingerprint');

/** Bytes in hex, a colon between each two. */
export const colonHex = (hex: string): string => hex.match(/../g)?.join(':') ?? '';

/**
 * The fingerprint of an OpenSSH public key: MD5 over its blob, as Nova has it.
 * @throws ApiError 400 not a public key of OpenSSH
 */
export function sshFingerprint(publicKey: string): string {
  const [type = '', base64 = ''] = publicKey.split(' ');
  const fields = FIELDS[type];
  if (fields === undefined || /[\r\n]/.test(publicKey.trim())) throw refused();
  const blob = bytesOf(base64);
  const values = fieldsOf(blob);
  if (new TextDecoder().decode(values[0]) !== type || values.length !== fields + 1) throw refused();
  return colonHex(createHash('md5').update(blob).digest('hex'));
}

function bytesOf(base64: string): Uint8Array {
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(base64) || base64.length > BLOB_BYTES_MAX) throw refused();
  try {
    return Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));
  } catch {
    throw refused();
  }
}

/** The fields of a blob, each with its length before it, and nothing after the last. */
function fieldsOf(blob: Uint8Array): Uint8Array[] {
  const view = new DataView(blob.buffer, blob.byteOffset, blob.byteLength);
  const fields: Uint8Array[] = [];
  let at = 0;
  while (at < blob.byteLength) {
    if (at + 4 > blob.byteLength) throw refused();
    const length = view.getUint32(at);
    if (at + 4 + length > blob.byteLength) throw refused();
    fields.push(blob.subarray(at + 4, at + 4 + length));
    at += 4 + length;
  }
  return fields;
}
