const ISO_8601 =
  /^(\d{4})-?(\d{2})-?(\d{2})(?:[T ](\d{2}):?(\d{2})(?::?(\d{2})(?:[.,](\d{1,9}))?)?(Z|[+-]\d{2}(?::?\d{2})?)?)?$/;

/** Milliseconds since the epoch of an ISO 8601 date or date and time, UTC unless it says otherwise; undefined if it is none. */
export function parseMoment(text: string): number | undefined {
  const match = ISO_8601.exec(text.trim());
  if (!match) return undefined;
  const [, year, month, day, hour = '00', minute = '00', second = '00', fraction = '0', zone = 'Z'] = match;
  const digits = zone.replace(/[:Z]/g, '');
  const offset = digits === '' ? 'Z' : `${digits.slice(0, 3)}:${digits.slice(3) || '00'}`;
  const ms = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}.${fraction.slice(0, 3)}${offset}`);
  return Number.isNaN(ms) ? undefined : ms;
}
