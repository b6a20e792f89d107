import { z } from 'zod';
import { type Cidr, formatCidr, overlaps, parseCidr, parseIp } from '../../../shared/cidr.ts';
import { intranetSource } from '../../../shared/specs/intranet.ts';
import { DESCRIPTION_LENGTH_MAX } from '../api/values.ts';
import { protocolNumber } from '../security-groups/protocols.ts';

/** A rule's end may lie at most this far ahead; for longer it is written without an end. */
const EXPIRY_MS_MAX = 10 * 366 * 24 * 3600 * 1000;
const PORT_MAX = 65_535;
/** TCP, DCCP, UDP, SCTP, UDP-Lite: what has ports. */
const WITH_PORTS = new Set([6, 17, 33, 132, 136]);
/** What no packet leaves a machine for: to declare it would filter nothing. */
const NOT_FILTERED = ['127.0.0.0/8', '169.254.0.0/16', '224.0.0.0/3', '::1/128', 'fe80::/10', 'ff00::/8'].map(
  (text) => parseCidr(text) as Cidr,
);

const description = z.string().max(DESCRIPTION_LENGTH_MAX);
/** Why it is there: whoever finds it later must be able to judge it. */
const reason = z.string().trim().min(1, 'Say why: a reason is required.').max(DESCRIPTION_LENGTH_MAX);

/** A range of addresses in its usual form. Bits beyond the prefix are refused: the address or its length is a slip. */
const range = z.string().transform((text, at) => {
  const cidr = parseCidr(text);
  if (cidr && parseIp(text.split('/')[0] ?? '')?.value === cidr.base) return formatCidr(cidr);
  const hint = cidr
    ? `has bits beyond its prefix: is it ${formatCidr(cidr)}?`
    : 'is no range, as 10.0.0.0/8 or fd00::/8.';
  at.addIssue({ code: 'custom', message: `'${text.slice(0, 64)}' ${hint}` });
  return z.NEVER;
});

const prefix = range.refine((text) => {
  const cidr = parseCidr(text);
  return !NOT_FILTERED.some((one) => cidr && one.prefix <= cidr.prefix && overlaps(one, cidr));
}, 'Loopback, link-local and multicast addresses are no intranet: guests reach none of them beyond their own network.');

/** A protocol by its name or number; null or `any` for any. */
const protocol = z.union([z.string().max(16), z.int().min(0).max(255), z.null()]).transform((value, at) => {
  if (value === null || value === 'any') return null;
  const number = protocolNumber(String(value).toLowerCase());
  if (number !== null && Number.isInteger(number) && number >= 0 && number <= 255) return number;
  at.addIssue({ code: 'custom', message: `'${value}' is no protocol: name it as tcp, udp or icmp, or by its number.` });
  return z.NEVER;
});

const port = z.int().min(0).max(PORT_MAX).nullable().default(null);
/** A moment to come, in ISO 8601 with its zone; null for none. */
const expiry = z.iso.datetime({ offset: true }).nullable();

export const filterBody = z.strictObject({
  intranet: z.strictObject({ enabled: z.boolean().optional(), dry_run: z.boolean().optional() }),
});
export type FilterChange = z.infer<typeof filterBody>['intranet'];

export const prefixBody = z.strictObject({
  prefix: z.strictObject({ prefix, description: description.default(''), reason }),
});
export type NewPrefix = z.infer<typeof prefixBody>['prefix'];

export const prefixPatch = z.strictObject({
  prefix: z.strictObject({ description: description.optional(), reason: reason.optional() }),
});

const ruleShape = z.strictObject({
  source: z.strictObject(intranetSource.shape),
  destination: range,
  protocol: protocol.default(null),
  port_range_min: port,
  port_range_max: port,
  description: description.default(''),
  reason,
  expires_at: expiry.default(null),
});

export const ruleBody = z.strictObject({
  rule: ruleShape.superRefine((rule, at) => {
    const { port_range_min: low, port_range_max: high } = rule;
    const refuse = (path: string, message: string) => at.addIssue({ code: 'custom', path: [path], message });
    if (low === null && high === null) return;
    if (low === null || high === null) refuse('port_range_min', 'Give both ends of the port range, or neither.');
    else if (low > high) refuse('port_range_min', `The range of ports ends (${high}) before it begins (${low}).`);
    if (rule.protocol === null || !WITH_PORTS.has(rule.protocol))
      refuse('protocol', 'Ports need a protocol that has them: tcp, udp, sctp, dccp or udplite.');
  }),
});
export type NewRule = z.infer<typeof ruleBody>['rule'];

export const rulePatch = z.strictObject({
  rule: z.strictObject({
    description: description.optional(),
    reason: reason.optional(),
    expires_at: expiry.optional(),
  }),
});
export type RulePatch = z.infer<typeof rulePatch>['rule'];

/** The end of a rule in milliseconds. @returns a problem in words where it is past or too far */
export function expiryMs(text: string | null, nowMs: number): { atMs: number | null } | { problem: string } {
  if (text === null) return { atMs: null };
  const atMs = Date.parse(text);
  if (atMs <= nowMs) return { problem: `expires_at ${text} is past.` };
  if (atMs > nowMs + EXPIRY_MS_MAX)
    return { problem: `expires_at ${text} is too far: leave it out for a rule without an end.` };
  return { atMs };
}
