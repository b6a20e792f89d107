import { createPrivateKey, createPublicKey, sign, verify, X509Certificate } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { pemFingerprint } from './certificate.ts';
import { integer, oid, open, sequence, tagged } from './der.ts';
import { generateSshKeypair, generateX509Keypair } from './generate-keypair.ts';
import { sshFingerprint } from './ssh-key.ts';

/** Made by ssh-keygen, and what `ssh-keygen -l -E md5` says of it. */
const ED25519 = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBSdneOW4zOJbEKnGKaedxZQa/cLYvryFOn773OpPB2d someone@somewhere';
const FINGERPRINT = '22:24:39:31:fb:68:b9:d5:fc:ce:87:60:38:71:7d:16';

describe('sshFingerprint', () => {
  it('is MD5 over the blob, with or without a comment', () => {
    expect(sshFingerprint(ED25519)).toBe(FINGERPRINT);
    expect(sshFingerprint(ED25519.split(' ').slice(0, 2).join(' '))).toBe(FINGERPRINT);
  });

  it.each([
    '',
    'ssh-rsa',
    'ssh-rsa JUNK nova@xs',
    'ssh-ed25519 AAAA',
    `ssh-rsa ${ED25519.split(' ')[1]}`,
    `${ED25519.slice(0, 60)} c`,
    `${ED25519}\nssh-ed25519 x`,
    '-----BEGIN PUBLIC KEY-----',
  ])('refuses %j', (text) => {
    expect(() => sshFingerprint(text)).toThrow('Keypair data is invalid: failed to generate fingerprint');
  });

  it('refuses whatever is no key, without any other error', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(() => sshFingerprint(`ssh-rsa ${text}`)).toThrow(/Keypair data is invalid/);
      }),
    );
  });
});

describe('a generated pair', () => {
  it('of SSH fits together', async () => {
    const { privateKey, publicKey, fingerprint } = await generateSshKeypair();
    expect(privateKey).toMatch(/^-----BEGIN RSA PRIVATE KEY-----\n[\s\S]+-----END RSA PRIVATE KEY-----\n$/);
    const key = createPrivateKey(privateKey);
    expect(key.asymmetricKeyDetails?.modulusLength).toBe(2048);
    expect(publicKey).toMatch(/^ssh-rsa \S+ Generated-by-Nova$/);
    const { n = '' } = createPublicKey(key).export({ format: 'jwk' });
    const blob = Buffer.from(publicKey.split(' ')[1] ?? '', 'base64');
    expect(blob.subarray(-256)).toEqual(Buffer.from(n, 'base64url'));
    expect(fingerprint).toBe(sshFingerprint(publicKey));
  });

  it('of X.509 is a certificate that its key has signed', async () => {
    const nowMs = Date.parse('2026-01-01T00:00:00Z');
    const made = await generateX509Keypair('user1', { nowMs, serial: Uint8Array.of(200, 1) });
    const certificate = new X509Certificate(made.publicKey);
    expect(certificate.subject).toBe('CN=user1');
    expect(certificate.verify(certificate.publicKey)).toBe(true);
    expect(certificate.validTo).toBe('Dec 30 00:00:00 2035 GMT');
    const data = Buffer.from('text');
    const signature = sign('sha256', data, createPrivateKey(made.privateKey));
    expect(verify('sha256', data, certificate.publicKey, signature)).toBe(true);
    expect(made.fingerprint).toBe(certificate.fingerprint.toLowerCase());
    expect(pemFingerprint(made.publicKey)).toBe(made.fingerprint);
  });
});

describe('certificates', () => {
  it('that are none are refused', () => {
    expect(() => pemFingerprint('nonsense')).toThrow(/failed to generate X509 fingerprint/);
  });
});

describe('DER', () => {
  it('reads back what it wrote, of any length', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.uint8Array({ maxLength: 10 }), (content, after) => {
        const value = open(Uint8Array.from([...tagged(4, content), ...after]));
        expect([...value.content]).toEqual([...content]);
        expect([...value.rest]).toEqual([...after]);
      }),
    );
  });
  it('has the known forms', () => {
    expect([...oid('1.2.840.113549')]).toEqual([0x06, 0x06, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d]);
    expect([...integer(Uint8Array.of(0x80))]).toEqual([0x02, 0x02, 0x00, 0x80]);
    expect([...sequence()]).toEqual([0x30, 0x00]);
  });
});
