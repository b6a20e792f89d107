import fc from 'fast-check';

const DEEP = 500;
/** Stands for a list that is nested so deep that only its text can be written. */
export const ABYSS = '@abyss@';
export const abyss = (): string => `${'['.repeat(20_000)}${']'.repeat(20_000)}`;
const LONG = 70_000;

/** A list in a list in a list. */
const deep = (depth: number): unknown => JSON.parse(`${'['.repeat(depth)}${']'.repeat(depth)}`);

/** Texts that break what is careless with them. */
const TEXTS = [
  ...[
    '',
    ' ',
    '\u0000',
    'a\u0000b',
    '\ud800',
    '\u202e\u0007',
    '\u{1f600}'.repeat(80),
    'x'.repeat(256),
    'x'.repeat(LONG),
  ],
  ...["' OR 1=1 --", '"; DROP TABLE servers; --', '%', '_', '*', '(a+)+$', '[', '\\', '../../etc/passwd', '{{7*7}}'],
  ...[
    'null',
    'true',
    'None',
    '-0',
    '1e999',
    '0x10',
    '\uff11\uff12',
    '9223372036854775808',
    'NaN',
    '__proto__',
    'constructor',
  ],
  ...[
    '192.168.0.1/33',
    '::ffff:1.2.3.4',
    '0.0.0.0/0',
    'fe80::1%eth0',
    '2026-02-30T00:00:00Z',
    '0000-00-00',
    'in:a,b,,',
    'gt:',
  ],
  ...[
    'toString',
    'hasOwnProperty',
    'latest',
    'admin',
    '\r\nx-evil: 1',
    '<script>',
    '$(a)',
    'ssh-rsa AAAA',
    'file:///etc/passwd',
  ],
];

const NUMBERS = [0, -1, 1, 255, 65_536, 2 ** 31, -(2 ** 31) - 1, 2 ** 53, 2 ** 63, 1e308, -1e308, 5e-324, 0.1, 1.5];

export const nastyText: fc.Arbitrary<string> = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...TEXTS) },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 40 }) },
);

/** A value in the place of another. */
export const nastyValue: fc.Arbitrary<unknown> = fc.oneof(
  { weight: 4, arbitrary: nastyText },
  { weight: 3, arbitrary: fc.constantFrom(...NUMBERS) },
  {
    weight: 3,
    arbitrary: fc.constantFrom<unknown>(null, true, false, [], {}, [null], [[]], [{}], { '': '' }, { id: {} }, [
      '',
      '',
    ]),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      deep(DEEP),
      ABYSS,
      Array(2_000).fill(0),
      Object.fromEntries(
        Array(300)
          .fill(0)
          .map((_, at) => [`k${at}`, at]),
      ),
    ),
  },
  { weight: 1, arbitrary: fc.jsonValue({ maxDepth: 3 }) },
);

/** Bodies that are no JSON, or not what JSON should be. */
export const brokenBody: fc.Arbitrary<Buffer> = fc.oneof(
  fc.constantFrom(
    ...[
      '',
      ' ',
      '{',
      '}',
      '[]',
      'null',
      '0',
      '"x"',
      '{"a":1,}',
      "{'a':1}",
      'NaN',
      '{"a":Infinity}',
      '\ufeff{}',
      '{}{}',
      '<xml/>',
      'a=b&c=d',
      '{"__proto__":{"x":1}}',
      '{"constructor":{"prototype":1}}',
    ].map((text) => Buffer.from(text)),
    Buffer.from(`${'['.repeat(20_000)}${']'.repeat(20_000)}`),
    Buffer.from(`${'{"a":'.repeat(20_000)}1${'}'.repeat(20_000)}`),
    Buffer.from([0xff, 0xfe, 0x7b, 0x00, 0x7d, 0x00]),
    Buffer.from([0x7b, 0x22, 0x61, 0x22, 0x3a, 0x22, 0xc3, 0x28, 0x22, 0x7d]),
    Buffer.alloc(1_200_000, 0x20),
  ),
  fc.uint8Array({ maxLength: 64 }).map((bytes) => Buffer.from(bytes)),
);

/** A segment of a path, as it stands there. */
export const nastySegment: fc.Arbitrary<string> = fc.oneof(
  fc.constantFrom(
    ...[
      '%00',
      '%',
      '%zz',
      '%c3%28',
      '%2e%2e',
      '%2F',
      '..',
      '.',
      '%252F',
      '~',
      "'",
      '%22',
      '(',
      '*',
      '%0d%0a',
      '%F0%9F%98%80',
      '%E0%80%80',
      'x'.repeat(300),
      '-1',
      '0',
      '1e9',
      'null',
      'detail',
      '__proto__',
      'constructor',
      'A'.repeat(32),
      '%20',
      ';a=b',
      '@',
      '+',
    ],
  ),
  nastyText.filter((text) => text.length < 300).map((text) => encodeURIComponent(text.toWellFormed())),
);
