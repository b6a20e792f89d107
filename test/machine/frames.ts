import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { run } from '../../runner/host/run.ts';
import { parseIp } from '../../shared/cidr.ts';
import type { Namespace } from './namespaces.ts';

/* Frames byte by byte, and what arrives of them. */

const PYTHON = '/usr/bin/python3';
const PROGRAM = join(import.meta.dirname, 'frames.py');

export const BROADCAST = 'ff:ff:ff:ff:ff:ff';
export const ETHERTYPES = { ip: 0x0800, arp: 0x0806, ip6: 0x86dd, vlan: 0x8100, qinq: 0x88a8, lldp: 0x88cc } as const;

/** Sends frames, given as their bytes. */
export async function sendFrames(from: Namespace, frames: Buffer[], device = 'eth0'): Promise<void> {
  const input = frames.map((frame) => `${frame.toString('hex')}\n`).join('');
  await run('ip', ['netns', 'exec', from.name, PYTHON, PROGRAM, 'send', device], { input });
}

/** Listens on a device; `heard` are all frames since then. */
export async function hearFrames(at: Namespace, device = 'eth0'): Promise<{ heard: Buffer[]; stop(): void }> {
  const child = at.start(PYTHON, PROGRAM, 'hear', device);
  const heard: Buffer[] = [];
  if (!child.stdout) throw new Error('no output');
  const lines = createInterface({ input: child.stdout });
  await new Promise<void>((resolve) => {
    lines.on('line', (line) => (line === 'listening' ? resolve() : heard.push(Buffer.from(line, 'hex'))));
  });
  return { heard, stop: () => child.kill('SIGKILL') };
}

const bytes = (...values: number[]) => Buffer.from(values);
const u16 = (value: number) => bytes((value >>> 8) & 0xff, value & 0xff);
const u32 = (value: number) => Buffer.concat([u16(value >>> 16), u16(value & 0xffff)]);
const macBytes = (mac: string) => Buffer.from(mac.replaceAll(':', ''), 'hex');

/** The bytes of an address, 4 or 16. */
export function addressBytes(text: string): Buffer {
  const ip = parseIp(text);
  if (!ip) throw new Error(`not an address: ${text}`);
  return Buffer.from(ip.value.toString(16).padStart(ip.version === 4 ? 8 : 32, '0'), 'hex');
}

export function ethernet(to: string, from: string, type: number, payload: Buffer): Buffer {
  return Buffer.concat([macBytes(to), macBytes(from), u16(type), payload]);
}

export function arp(operation: 1 | 2, sender: [mac: string, ip: string], target: [mac: string, ip: string]): Buffer {
  const pairs = [sender, target].flatMap(([mac, ip]) => [macBytes(mac), addressBytes(ip)]);
  return Buffer.concat([u16(1), u16(ETHERTYPES.ip), bytes(6, 4), u16(operation), ...pairs]);
}

/** The internet checksum. */
function checksum(data: Buffer): number {
  let sum = 0;
  for (let at = 0; at < data.length; at += 2) sum += ((data[at] ?? 0) << 8) + (data[at + 1] ?? 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}

const CHECKSUM_AT: Record<number, number> = { 6: 16, 17: 6, 136: 6, 1: 2, 58: 2 };

/** The payload of an IP packet, with a right checksum where its protocol has one. */
export function summed(from: string, to: string, protocol: number, payload: Buffer): Buffer {
  const body = Buffer.from(payload);
  const at = CHECKSUM_AT[protocol];
  if (at !== undefined) {
    const pseudo = Buffer.concat([addressBytes(from), addressBytes(to), u32(body.length), u32(protocol)]);
    body.writeUInt16BE(checksum(protocol === 1 ? body : Buffer.concat([pseudo, body])) || 0xffff, at);
  }
  return body;
}

/** An IP packet; its payload is summed. */
export function ip(from: string, to: string, protocol: number, payload: Buffer): Buffer {
  const [source, target] = [addressBytes(from), addressBytes(to)];
  const body = summed(from, to, protocol, payload);
  if (source.length === 16) {
    return Buffer.concat([u32(0x6000_0000), u16(body.length), bytes(protocol, 255), source, target, body]);
  }
  const head = Buffer.concat([
    bytes(0x45, 0),
    u16(20 + body.length),
    u32(0),
    bytes(64, protocol),
    u16(0),
    source,
    target,
  ]);
  head.writeUInt16BE(checksum(head), 10);
  return Buffer.concat([head, body]);
}

export const udp = (sourcePort: number, port: number, data: Buffer): Buffer =>
  Buffer.concat([u16(sourcePort), u16(port), u16(8 + data.length), u16(0), data]);

const ACK = 0x10;
/** A segment that begins a connection, or acknowledges one that did. */
export const tcp = (sourcePort: number, port: number, flags: number, data: Buffer): Buffer =>
  Buffer.concat([
    u16(sourcePort),
    u16(port),
    u32(1),
    u32(flags & ACK ? 2 : 0),
    bytes(0x50, flags),
    u16(1024),
    u32(0),
    data,
  ]);

export const icmp = (type: number, code: number, data: Buffer): Buffer =>
  Buffer.concat([bytes(type, code), u16(0), data]);
