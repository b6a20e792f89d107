/** DER, as far as keys and certificates need it. */
const TAG = {
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  null: 0x05,
  oid: 0x06,
  utf8: 0x0c,
  time: 0x18,
  sequence: 0x30,
  set: 0x31,
};

export function concat(...parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.byteLength, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.byteLength;
  }
  return whole;
}

/** A value under any tag. */
export function tagged(tag: number, content: Uint8Array): Uint8Array {
  const { byteLength } = content;
  const bytes: number[] = [];
  for (let rest = byteLength; rest > 0; rest >>>= 8) bytes.unshift(rest & 0xff);
  const length = byteLength < 0x80 ? [byteLength] : [0x80 | bytes.length, ...bytes];
  return concat(Uint8Array.from([tag, ...length]), content);
}

export const sequence = (...parts: readonly Uint8Array[]) => tagged(TAG.sequence, concat(...parts));
export const setOf = (...parts: readonly Uint8Array[]) => tagged(TAG.set, concat(...parts));
export const octetString = (content: Uint8Array) => tagged(TAG.octetString, content);
export const bitString = (content: Uint8Array) => tagged(TAG.bitString, concat(Uint8Array.of(0), content));
export const utf8 = (text: string) => tagged(TAG.utf8, new TextEncoder().encode(text));
export const nothing = () => tagged(TAG.null, new Uint8Array());

/** A number that is not negative, from its bytes. */
export const integer = (bytes: Uint8Array) =>
  tagged(TAG.integer, (bytes[0] ?? 0) & 0x80 ? concat(Uint8Array.of(0), bytes) : bytes);

/** A time in seconds, in UTC. */
export const time = (ms: number) =>
  tagged(TAG.time, new TextEncoder().encode(`${new Date(ms).toISOString().slice(0, 19).replaceAll(/[-:T]/g, '')}Z`));

/** An object identifier from its dotted form. */
export function oid(dotted: string): Uint8Array {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  const bytes = [first * 40 + second];
  for (const arc of rest) {
    const groups = [arc & 0x7f];
    for (let left = arc >>> 7; left > 0; left >>>= 7) groups.unshift(0x80 | (left & 0x7f));
    bytes.push(...groups);
  }
  return tagged(TAG.oid, Uint8Array.from(bytes));
}

/** The content of the value that bytes begin with, and what follows it. */
export function open(bytes: Uint8Array): { content: Uint8Array; rest: Uint8Array } {
  const first = bytes[1] ?? 0;
  const count = first < 0x80 ? 0 : first & 0x7f;
  let length = first;
  if (count > 0) {
    length = 0;
    for (const byte of bytes.subarray(2, 2 + count)) length = length * 256 + byte;
  }
  const start = 2 + count;
  return { content: bytes.subarray(start, start + length), rest: bytes.subarray(start + length) };
}

/** Bytes as PEM. */
export function pem(label: string, bytes: Uint8Array): string {
  const base64 = btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''));
  return `-----BEGIN ${label}-----\n${base64.match(/.{1,64}/g)?.join('\n')}\n-----END ${label}-----\n`;
}
