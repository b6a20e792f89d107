import { createHash } from 'node:crypto';
import * as der from './der.ts';
import { colonHex, sshFingerprint } from './ssh-key.ts';

/** As Nova makes them: RSA, of the size that every client of the last twenty years takes. */
const RSA_BITS = 2048;
const RSA = { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' };
/** A generated certificate is good for ten years. */
const CERTIFICATE_DAYS = 3650;
const DAY_MS = 86_400_000;

export interface GeneratedKeypair {
  publicKey: string;
  privateKey: string;
  fingerprint: string;
}

interface RsaKey {
  pair: CryptoKeyPair;
  /** PKCS#8. */
  privateDer: Uint8Array;
}

async function rsaKey(): Promise<RsaKey> {
  const publicExponent = Uint8Array.of(1, 0, 1);
  const pair = (await crypto.subtle.generateKey({ ...RSA, modulusLength: RSA_BITS, publicExponent }, true, [
    'sign',
    'verify',
  ])) as CryptoKeyPair;
  const privateDer = new Uint8Array((await crypto.subtle.exportKey('pkcs8', pair.privateKey)) as ArrayBuffer);
  return { pair, privateDer };
}

const fromBase64Url = (text: string) =>
  Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (char) => char.charCodeAt(0));
const toBase64 = (bytes: Uint8Array) => btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''));

/** A field of SSH's format: its length, then its bytes; numbers with room for the sign. */
function field(bytes: Uint8Array): Uint8Array {
  const length = new Uint8Array(4);
  new DataView(length.buffer).setUint32(0, bytes.byteLength);
  return der.concat(length, bytes);
}
const number = (bytes: Uint8Array) => field((bytes[0] ?? 0) & 0x80 ? der.concat(Uint8Array.of(0), bytes) : bytes);

/** A new SSH key pair; the private key in PEM as OpenSSH and paramiko read it. */
export async function generateSshKeypair(): Promise<GeneratedKeypair> {
  const { pair, privateDer } = await rsaKey();
  const jwk = (await crypto.subtle.exportKey('jwk', pair.publicKey)) as JsonWebKey;
  const blob = der.concat(
    field(new TextEncoder().encode('ssh-rsa')),
    number(fromBase64Url(jwk.e ?? '')),
    number(fromBase64Url(jwk.n ?? '')),
  );
  const publicKey = `ssh-rsa ${toBase64(blob)} Generated-by-Nova`;
  return {
    publicKey,
    privateKey: der.pem('RSA PRIVATE KEY', pkcs1Of(privateDer)),
    fingerprint: sshFingerprint(publicKey),
  };
}

/** PKCS#8 is the version, the algorithm, and then the key of PKCS#1 in an octet string. */
function pkcs1Of(pkcs8: Uint8Array): Uint8Array {
  const version = der.open(der.open(pkcs8).content);
  const algorithm = der.open(version.rest);
  return der.open(algorithm.rest).content;
}

/** A new key with a certificate for a user, as Windows takes it for logging in (WinRM); the key in PEM (PKCS#8). */
export async function generateX509Keypair(
  userId: string,
  of: { nowMs: number; serial: Uint8Array },
): Promise<GeneratedKeypair> {
  const { pair, privateDer } = await rsaKey();
  const publicDer = new Uint8Array((await crypto.subtle.exportKey('spki', pair.publicKey)) as ArrayBuffer);
  const algorithm = der.sequence(der.oid('1.2.840.113549.1.1.11'), der.nothing());
  const name = der.sequence(der.setOf(der.sequence(der.oid('2.5.4.3'), der.utf8(userId))));
  const validity = der.sequence(der.time(of.nowMs), der.time(of.nowMs + CERTIFICATE_DAYS * DAY_MS));
  const extension = (id: string, value: Uint8Array) => der.sequence(der.oid(id), der.octetString(value));
  const upn = der.tagged(0xa0, der.utf8(`${userId}@localhost`));
  const extensions = der.sequence(
    extension('2.5.29.37', der.sequence(der.oid('1.3.6.1.5.5.7.3.2'))),
    extension('2.5.29.17', der.sequence(der.tagged(0xa0, der.concat(der.oid('1.3.6.1.4.1.311.20.2.3'), upn)))),
  );
  const toSign = der.sequence(
    der.tagged(0xa0, der.integer(Uint8Array.of(2))),
    der.integer(of.serial),
    algorithm,
    name,
    validity,
    name,
    publicDer,
    der.tagged(0xa3, extensions),
  );
  const signature = new Uint8Array(await crypto.subtle.sign(RSA, pair.privateKey, toSign));
  const certificate = der.sequence(toSign, algorithm, der.bitString(signature));
  return {
    publicKey: der.pem('CERTIFICATE', certificate),
    privateKey: der.pem('PRIVATE KEY', privateDer),
    fingerprint: certificateFingerprint(certificate),
  };
}

/** SHA-1 over a certificate, as Nova has it. */
export const certificateFingerprint = (certificate: Uint8Array): string =>
  colonHex(createHash('sha1').update(certificate).digest('hex'));
