import { kindOfMember } from './kinds.ts';

/** Stands for a text that nothing else is called by. */
export const UNIQUE = '{unique}';

/** Values as people send them: of each form that a schema may ask for there must be one. */
export const PLAIN: readonly unknown[] = [
  ...['x', 'blue', 'a b', 'Z\u00fcrich', 'x-1', UNIQUE, '/x', '/v2.1/servers', 'eA==', '', 'nova', 'host-1'],
  ...[
    '10.7.0.9',
    '10.7.0.0/24',
    '192.0.2.1',
    'fd00:7::9',
    'fd00:7::/64',
    '02:00:00:00:00:07',
    'a.example',
    'a.example.',
  ],
  ...['http://192.0.2.1/x', 'https://a.example/v3', '2030-01-01T00:00:00Z', '2030-01-01T00:00:00.000000Z', '1', 'tcp'],
  ...['a@b.example', 'a'.repeat(64), 'ssh-ed25519', 'SECRET', 'true', 'none', 'auto', 'ingress', 'IPv4', '80', 'local'],
  ...['openid', 'normal', 'enable', 'A'.repeat(43), 'server.*', 'EUR', '0.10', 'hours', 'hourly', 'prepaid'],
  ...[true, false, 0, 1, 2, 3, 4, 6, 22, 64, 80, 1_400, 8_080, null],
];

/** Values that a careful schema takes or leaves: what it takes of them is valid, too. */
export const BORDERS: readonly unknown[] = [
  ...[
    '\u{1f600}'.repeat(20),
    'x'.repeat(255),
    'x'.repeat(256),
    'x'.repeat(5_000),
    "' OR 1=1 --",
    '%',
    '_',
    '<b>',
    '{{x}}',
  ],
  ...['0.0.0.0/0', '::/0', '::ffff:1.2.3.4', '255.255.255.255', '169.254.169.254', '127.0.0.1', 'fe80::1', '__proto__'],
  ...[
    '1970-01-01T00:00:00Z',
    '9999-12-31T23:59:59Z',
    '2147483647',
    '-1',
    '\u202e',
    '\u00e9'.normalize('NFD'),
    '\ud800',
  ],
  ...[-1, 255, 1_500, 4_094, 4_095, 9_216, 65_535, 65_536, 16_777_215, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1, 0.5],
  ...[Number.MAX_SAFE_INTEGER, [], {}],
];

/** Kinds that the names of members do not tell. */
const NAMED: Readonly<Record<string, string>> = {
  key_name: 'keypair',
  tenant: 'project',
  member: 'project',
  host: 'host',
  same_host: 'server',
  different_host: 'server',
};
const SAYS_ID = /(_id|_uuid|Ref)$|^(id|uuid|networkId)$/;
const SAYS_NAME = /^(name|namespace|display_name)$/;

/** The id or name that belongs in a member, in braces; undefined where it is no such member. */
export function placeholderOf(path: readonly string[]): string | undefined {
  const key = path.at(-1) ?? '';
  const parent = path.at(-2) ?? '';
  if (SAYS_NAME.test(key)) return UNIQUE;
  // What is to be made has an id of its own.
  if (path.length === 2 && key === 'id') return UNIQUE;
  const named = NAMED[key];
  if (named) return `{${named}}`;
  return SAYS_ID.test(key) ? `{${kindOfMember(key, parent)}}` : undefined;
}

const SAMPLES = ['0d9b8f2e-3c1a-4b5d-8e7f-123456789abc', '0d9b8f2e3c1a4b5d8e7f123456789abc'];

/** Values with an id in each place of one, to see whether they would be taken. */
export function sampled(value: unknown): unknown[] {
  const text = JSON.stringify(value);
  if (!/"\{[a-z_]+\}"/.test(text ?? '')) return [value];
  return SAMPLES.map((sample) => JSON.parse(text.replaceAll(/"\{[a-z_]+\}"/g, JSON.stringify(sample))));
}
