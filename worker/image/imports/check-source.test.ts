import { describe, expect, it } from 'vitest';
import { sourceOf } from './check-source.ts';

describe('a source of downloads', () => {
  it.each([
    'http://example.org/disk.img',
    'https://example.org:443/disk.img?x=1#y',
    'https://EXAMPLE.org:80/',
    'http://93.184.216.34/',
    'http://[2606:2800:220:1:248:1893:25c8:1946]/disk',
  ])('may be %s', (uri) => {
    expect(sourceOf(uri)?.href).toBe(new URL(uri).href);
  });

  it.each([
    ['no URL', 'disk.img'],
    ['empty', ''],
    ['a file', 'file:///etc/passwd'],
    ['another scheme', 'ftp://example.org/disk'],
    ['another port', 'http://example.org:22/'],
    ['with a password', 'http://me:secret@example.org/'],
    ['loopback', 'http://127.0.0.1/'],
    ['loopback in decimal', 'http://2130706433/'],
    ['loopback in hexadecimal', 'http://0x7f.1/'],
    ['loopback in octal', 'http://0177.0.0.1/'],
    ['loopback of IPv6', 'http://[::1]/'],
    ['loopback of IPv4 in IPv6', 'http://[::ffff:127.0.0.1]/'],
    ['loopback by 6to4', 'http://[2002:7f00:1::]/'],
    ['loopback by NAT64', 'http://[64:ff9b::7f00:1]/'],
    ['loopback by the old form', 'http://[::127.0.0.1]/'],
    ['nowhere', 'http://0.0.0.0/'],
    ['private (10/8)', 'http://10.0.0.1/'],
    ['private (172.16/12)', 'http://172.31.255.255/'],
    ['private (192.168/16)', 'http://192.168.1.1/'],
    ['unique-local', 'http://[fd00:ec2::254]/'],
    ['link-local', 'http://169.254.169.254/latest/meta-data/'],
    ['link-local of IPv6', 'http://[fe80::1]/'],
    ['carrier-grade NAT', 'http://100.100.100.200/'],
    ['multicast', 'http://224.0.0.1/'],
    ['broadcast', 'http://255.255.255.255/'],
    ['reserved', 'http://240.0.0.1/'],
    ['localhost', 'http://localhost/'],
    ['a name below localhost', 'http://a.localhost/'],
    ['localhost with the root', 'http://localhost./'],
    ['a name without a dot', 'http://database/'],
    ['the metadata of a provider', 'http://metadata.google.internal/'],
    ['a machine next door', 'http://printer.local/'],
  ])('may not be %s', (_what, uri) => {
    expect(sourceOf(uri)).toBeUndefined();
  });

  it('may be where the operator allows it, on any port, and nowhere else', () => {
    const allowed = '127.0.0.0/8,fd00::/8';
    expect(sourceOf('http://127.0.0.1:8080/', allowed)?.port).toBe('8080');
    expect(sourceOf('http://[fd00::1]:8080/', allowed)).toBeDefined();
    expect(sourceOf('http://mirror.internal:8080/', allowed)).toBeDefined();
    expect(sourceOf('http://10.0.0.1/', allowed)).toBeUndefined();
    expect(sourceOf('http://93.184.216.34:8080/', allowed)).toBeUndefined();
    expect(sourceOf('file:///etc/passwd', allowed)).toBeUndefined();
  });
});
