/** Longest label that DNS takes. */
const LABEL_LENGTH_MAX = 63;

/** A DNS label (RFC 1123) from any name; empty where nothing of the name can stand in one. */
export function dnsLabel(name: string): string {
  return name
    .normalize('NFKD')
    .toLowerCase()
    .replace(/[\s_.]+/g, '-')
    .replace(/[^a-z0-9-]/g, '')
    .slice(0, LABEL_LENGTH_MAX)
    .replace(/^-+|-+$/g, '');
}
