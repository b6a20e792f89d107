import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { targetOf } from './check-target.ts';

const may = (text: string, allowed?: string) => 'url' in targetOf(text, allowed);

describe('a target of webhooks', () => {
  it.each([
    'https://example.org/hooks?key=1',
    'https://EXAMPLE.org',
    'https://example.org:8443/',
    'https://93.184.216.34/',
    'https://[2606:2800:220:1:248:1893:25c8:1946]/',
  ])('may be %s', (text) => {
    expect(targetOf(text)).toEqual({ url: new URL(text) });
  });

  it.each([
    ['no URL', 'example.org'],
    ['plain HTTP', 'http://example.org/'],
    ['another scheme', 'ftp://example.org/'],
    ['a script', 'javascript:alert(1)'],
    ['with a password', 'https://me:secret@example.org/'],
    ['with a user', 'https://me@example.org/'],
    ['another service’s port', 'https://example.org:22/'],
    ['SMTP', 'https://example.org:25/'],
    ['loopback', 'https://127.0.0.1/'],
    ['loopback in short', 'https://127.1/'],
    ['loopback in decimal', 'https://2130706433/'],
    ['loopback in hexadecimal', 'https://0x7f.1/'],
    ['loopback in octal', 'https://0177.0.0.1/'],
    ['loopback with the root', 'https://127.0.0.1./'],
    ['loopback in wide digits', 'https://１２７.0.0.1/'],
    ['loopback of IPv6', 'https://[::1]/'],
    ['loopback of IPv4 in IPv6', 'https://[::ffff:127.0.0.1]/'],
    ['loopback by 6to4', 'https://[2002:7f00:1::]/'],
    ['loopback by NAT64', 'https://[64:ff9b::7f00:1]/'],
    ['loopback by a NAT64 of one’s own', 'https://[64:ff9b:1::7f00:1]/'],
    ['loopback by Teredo', 'https://[2001:0:7f00:1::]/'],
    ['nowhere', 'https://0.0.0.0/'],
    ['private', 'https://10.0.0.1/'],
    ['private (172.16/12)', 'https://172.16.0.1/'],
    ['private (192.168/16)', 'https://192.168.0.1/'],
    ['unique-local', 'https://[fd00::1]/'],
    ['the metadata of a cloud', 'https://169.254.169.254/latest/meta-data/'],
    ['link-local of IPv6', 'https://[fe80::1]/'],
    ['carrier-grade NAT', 'https://100.64.0.1/'],
    ['multicast', 'https://224.0.0.1/'],
    ['multicast of IPv6', 'https://[ff02::1]/'],
    ['broadcast', 'https://255.255.255.255/'],
    ['localhost', 'https://localhost/'],
    ['a name below localhost', 'https://a.localhost/'],
    ['localhost with the root', 'https://localhost./'],
    ['a name without a dot', 'https://database/'],
    ['the metadata of a provider', 'https://metadata.google.internal/'],
    ['a machine next door', 'https://printer.local/'],
    ['nearly an address', 'https://127.0.0.1&/'],
    ['a name that ends in a number', 'https://a.127/'],
  ])('may not be %s', (_what, text) => {
    expect(may(text)).toBe(false);
  });

  it('may be where the operator allows it, over HTTP and on any port, and nowhere else', () => {
    const allowed = '127.0.0.0/8,fd00::/8';
    for (const text of [
      'http://127.0.0.1:80/',
      'http://[fd00::1]:81/',
      'http://receiver:8080/',
      'https://10.0.0.1.nip.io/',
    ]) {
      expect(may(text, allowed)).toBe(true);
    }
    for (const text of [
      'http://10.0.0.1/',
      'https://10.0.0.1/',
      'http://93.184.216.34/',
      'http://u@127.0.0.1/',
      'file:///x',
    ]) {
      expect(may(text, allowed)).toBe(false);
    }
  });

  /** How an address of IPv4 can be written so that a client still goes there. */
  const spellings: ((n: number) => string)[] = [
    (n) => [24, 16, 8, 0].map((bits) => (n >>> bits) & 255).join('.'),
    (n) => String(n >>> 0),
    (n) => `0x${(n >>> 0).toString(16)}`,
    (n) => `0${(n >>> 0).toString(8)}`,
    (n) => `${n >>> 24}.${n & 0xffffff}`,
    (n) => `0x${(n >>> 24).toString(16)}.${(n >>> 16) & 255}.${n & 0xffff}`,
    (n) => `${[24, 16, 8, 0].map((bits) => (n >>> bits) & 255).join('.')}.`,
    (n) => `[::ffff:${(n >>> 16).toString(16)}:${(n & 0xffff).toString(16)}]`,
    (n) => `[64:ff9b::${(n >>> 16).toString(16)}:${(n & 0xffff).toString(16)}]`,
    (n) => `[2002:${(n >>> 16).toString(16)}:${(n & 0xffff).toString(16)}::1]`,
    (n) => `[::${(n >>> 16).toString(16)}:${(n & 0xffff).toString(16)}]`,
  ];
  const PRIVATE: [base: number, bits: number][] = [
    ...([
      [0x00000000, 8],
      [0x0a000000, 8],
      [0x64400000, 10],
      [0x7f000000, 8],
      [0xa9fe0000, 16],
      [0xac100000, 12],
    ] as const),
    ...([
      [0xc0a80000, 16],
      [0xe0000000, 4],
      [0xf0000000, 4],
    ] as const),
  ].map(([base, bits]) => [base, bits]);

  it('is never a private address of IPv4, however it is written', () => {
    const address = fc
      .tuple(fc.constantFrom(...PRIVATE), fc.integer({ min: 0, max: 0xffffffff }))
      .map(([[base, bits], any]) => base | (any & (0xffffffff >>> bits)) | 0);
    fc.assert(
      fc.property(address, fc.constantFrom(...spellings), fc.constantFrom('', ':443', ':8443'), (n, spell, port) => {
        expect(may(`https://${spell(n)}${port}/hook`)).toBe(false);
      }),
      { numRuns: 3_000 },
    );
  });

  it('is never an address of IPv6 that the registries do not give out', () => {
    const group = fc.integer({ min: 0, max: 0xffff }).map((n) => n.toString(16));
    const address = fc.tuple(
      fc.integer({ min: 0, max: 0xffff }).filter((n) => n >>> 13 !== 1),
      fc.array(group, { minLength: 7, maxLength: 7 }),
    );
    fc.assert(
      fc.property(address, ([first, rest]) => {
        expect(may(`https://[${first.toString(16)}:${rest.join(':')}]/`)).toBe(false);
      }),
    );
  });

  it('is, whatever is written, HTTPS to something with a dot or a colon, or none at all', () => {
    const pieces = fc.constantFrom(
      ...[
        'https://',
        'http://',
        '//',
        '@',
        ':',
        '/',
        '\\',
        '#',
        '?',
        '[',
        ']',
        '%',
        '.',
        'localhost',
        '127.0.0.1',
        'a.org',
        '０',
        '。',
      ],
    );
    const text = fc
      .array(fc.oneof(pieces, fc.string({ maxLength: 4 })), { maxLength: 8 })
      .map((parts) => parts.join(''));
    fc.assert(
      fc.property(
        fc.oneof(
          text,
          fc.webUrl(),
          text.map((rest) => `https://${rest}`),
        ),
        (written) => {
          const target = targetOf(written);
          if ('problem' in target) return;
          const { protocol, hostname, username, password } = target.url;
          expect([protocol, username, password]).toEqual(['https:', '', '']);
          expect(hostname).toMatch(/[.:]/);
          expect(hostname).not.toMatch(/^127\.[0-9.]*$|(^|\.)localhost\.?$/);
        },
      ),
      { numRuns: 5_000 },
    );
  });
});
