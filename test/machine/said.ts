import { addressBytes, ETHERTYPES, ethernet, hearFrames, icmp, ip, sendFrames, udp } from './frames.ts';
import { eventually, type Namespace } from './namespaces.ts';

/** Who sends frames on its eth0, and hears them there or on another device. */
export interface Speaker {
  namespace: Namespace;
  device?: string;
  mac: string;
  ip4: string;
}

/** Frames with a word of theirs in them, by name. */
export type Said = Record<string, (word: Buffer) => Buffer>;

/**
 * Sends each frame; answers the names of those that the listener heard.
 * @param honest - who sends a datagram that arrives after them, which says that they had their time
 */
export async function arrived(from: Speaker, to: Speaker, said: Said, honest = from): Promise<string[]> {
  const ear = await hearFrames(to.namespace, to.device);
  const names = Object.keys(said);
  const wordOf = (index: number) => Buffer.from(`w${String(index).padStart(4, '0')}w`);
  const frames = names.map((name, index) => said[name]?.(wordOf(index)) ?? Buffer.alloc(0));
  const last = v4(honest, to, ip(honest.ip4, to.ip4, 17, udp(9, 9, Buffer.from('the last'))));
  await sendFrames(from.namespace, honest === from ? [...frames, last] : frames);
  if (honest !== from) await sendFrames(honest.namespace, [last]);
  await eventually('the last frame', async () => ear.heard.some((frame) => frame.includes('the last')));
  ear.stop();
  return names.filter((_, index) => ear.heard.some((frame) => frame.includes(wordOf(index))));
}

type Ends = Pick<Speaker, 'mac'>;
export const v4 = (from: Ends, to: Ends, packet: Buffer) => ethernet(to.mac, from.mac, ETHERTYPES.ip, packet);
export const v6 = (from: Ends, to: Ends, packet: Buffer) => ethernet(to.mac, from.mac, ETHERTYPES.ip6, packet);
export const tagged = (type: number, inner: Buffer) =>
  Buffer.concat([inner.subarray(0, 12), Buffer.from([type >> 8, type & 0xff, 0, 5]), inner.subarray(12)]);

/** An option of neighbour discovery that nobody knows. */
export const ndOption = (word: Buffer) => Buffer.concat([Buffer.from([253, 1]), word]);
const ND_FLAGS = Buffer.from([0x20, 0, 0, 0]);
/** A solicitation or an advertisement. */
export const nd = (type: 135 | 136, target: string, word: Buffer) =>
  icmp(type, 0, Buffer.concat([ND_FLAGS, addressBytes(target), ndOption(word)]));
export const routerSolicitation = (word: Buffer) => icmp(133, 0, Buffer.concat([Buffer.alloc(4), ndOption(word)]));
export const routerAdvertisement = (word: Buffer) => icmp(134, 0, Buffer.concat([Buffer.alloc(12), ndOption(word)]));
export const redirect = (word: Buffer) => icmp(137, 0, Buffer.concat([Buffer.alloc(36), ndOption(word)]));

/** A destination option header in front of another. */
export const behindOption = (next: number, rest: Buffer) =>
  Buffer.concat([Buffer.from([next, 0, 1, 4, 0, 0, 0, 0]), rest]);

let fragmented = 0;
/** Two fragments of an IPv6 payload, of which the first is so short. */
export function fragments(from: string, to: string, next: number, payload: Buffer, first: number): [Buffer, Buffer] {
  const id = ++fragmented;
  const head = (offset: number, more: number) => Buffer.from([next, 0, offset >> 8, offset | more, 0, 0, 0, id]);
  return [
    ip(from, to, 44, Buffer.concat([head(0, 1), payload.subarray(0, first)])),
    ip(from, to, 44, Buffer.concat([head(first, 0), payload.subarray(first)])),
  ];
}
