import { HranaError } from './errors.ts';
import type { SqlValue } from './protocol.ts';

const INTEGER_MIN = -(2n ** 63n);
const INTEGER_MAX = 2n ** 63n - 1n;
const INTEGER_TEXT = /^-?\d{1,19}$/;
const BASE64_TEXT = /^[A-Za-z0-9+/]*={0,2}$/;

function invalid(message: string): HranaError {
  return new HranaError(message, 'ARGS_INVALID');
}

function decodeInteger(value: unknown): bigint {
  if (typeof value !== 'string' || !INTEGER_TEXT.test(value)) throw invalid('An integer must be a decimal string');
  const integer = BigInt(value);
  if (integer < INTEGER_MIN || integer > INTEGER_MAX) throw invalid(`Integer ${value} does not fit in 64 bits`);
  return integer;
}

function decodeText(value: unknown): string {
  if (typeof value !== 'string') throw invalid('A text value must be a string');
  // The engine's binding reads text only up to a NUL: what cannot be read back whole is refused.
  if (value.includes('\0')) throw invalid('A text value must not contain a NUL character');
  return value;
}

function decodeBlob(base64: unknown): Uint8Array {
  if (typeof base64 !== 'string' || !BASE64_TEXT.test(base64)) throw invalid('A blob must be base64');
  return Buffer.from(base64, 'base64');
}

/** Turn a Hrana value into what the engine binds: integers as bigint, floats as number. */
export function decodeValue(json: unknown): SqlValue {
  if (typeof json !== 'object' || json === null || !('type' in json)) throw invalid('A value must have a type');
  const value = 'value' in json ? json.value : undefined;
  switch (json.type) {
    case 'null':
      return null;
    case 'integer':
      return decodeInteger(value);
    case 'float':
      if (typeof value !== 'number') throw invalid('A float must be a number');
      return value;
    case 'text':
      return decodeText(value);
    case 'blob':
      return decodeBlob('base64' in json ? json.base64 : undefined);
    default:
      throw invalid(`Unknown type of value ${JSON.stringify(json.type)}`);
  }
}

// JSON has no infinity, but a number beyond the range of a double parses to one.
function floatText(value: number): string {
  if (value === Number.POSITIVE_INFINITY) return '1e999';
  if (value === Number.NEGATIVE_INFINITY) return '-1e999';
  return Object.is(value, -0) ? '-0' : String(value);
}

function blobText(value: Uint8Array | ArrayBuffer): string {
  const bytes =
    value instanceof ArrayBuffer ? Buffer.from(value) : Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  return bytes.toString('base64').replace(/=+$/, '');
}

function encodeValue(value: unknown): string {
  if (value === null || value === undefined) return '{"type":"null"}';
  if (typeof value === 'bigint') return `{"type":"integer","value":"${value}"}`;
  if (typeof value === 'string') return `{"type":"text","value":${JSON.stringify(value)}}`;
  if (typeof value === 'number') return `{"type":"float","value":${floatText(value)}}`;
  if (value instanceof Uint8Array || value instanceof ArrayBuffer)
    return `{"type":"blob","base64":"${blobText(value)}"}`;
  throw new HranaError(`The engine returned a value of unknown type ${typeof value}`, 'SERVER_ERROR');
}

/** The JSON text of one row. Text is built here, not objects: it is the hottest loop of a read. */
export function encodeRow(row: readonly unknown[]): string {
  let json = '[';
  for (let i = 0; i < row.length; i++) json += i === 0 ? encodeValue(row[i]) : `,${encodeValue(row[i])}`;
  return `${json}]`;
}
