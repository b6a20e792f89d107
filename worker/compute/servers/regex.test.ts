import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Regex } from './regex.ts';
import { RegexRefused } from './regex-parser.ts';

describe('Regex', () => {
  it.each([
    ['^.*-instance-[0-9]+$', 'my-instance-12', true],
    ['^.*-instance-[0-9]+$', 'my-instance-x', false],
    ['web|db', 'the-DB', true],
    ['^(web|db)-\\d{2,3}$', 'db-123', true],
    ['^(web|db)-\\d{2,3}$', 'db-1', false],
    ['[^a-c]', 'abc', false],
    ['[]x]', ']', true],
    ['[a-]', '-', true],
    ['\\D', '123', false],
    ['(?:ab)+c', 'xababc', true],
    ['a??b', 'b', true],
    ['^$', '', true],
    ['', 'anything', true],
    ['\\.', 'a', false],
    ['😀{2}', 'x😀😀', true],
  ])('%j on %j is %j', (pattern, text, matches) => {
    expect(new Regex(pattern).test(text)).toBe(matches);
  });

  it.each([
    '(',
    ')',
    '[a',
    '*a',
    'a{2',
    'a{3,2}',
    '[z-a]',
    '\\b',
    '\\1',
    '(?=a)',
    '(?<n>a)',
    'a**',
    'a{1000}',
    '(a{50}){50}',
    '\\',
  ])('refuses %j', (pattern) => {
    expect(() => new Regex(pattern)).toThrow(RegexRefused);
  });

  it('means what a regular expression means', () => {
    const letter = fc.constantFrom('a', 'b', 'A', '-', '1', '.');
    const atom = fc.oneof(
      letter.map((char) => (char === '.' ? '\\.' : char)),
      fc.constantFrom('.', '[a-b]', '[^a]', '\\d', '\\W'),
    );
    const pattern = fc.letrec<{ whole: string; piece: string }>((tie) => ({
      piece: fc.oneof(
        { maxDepth: 3 },
        atom,
        fc.tuple(atom, fc.constantFrom('*', '+', '?', '{2}', '{1,2}', '{0,}', '*?')).map((two) => two.join('')),
        fc.tuple(tie('whole'), fc.constantFrom('', '*', '+', '?')).map(([inner, times]) => `(${inner})${times}`),
        fc.constantFrom('^', '$'),
      ),
      whole: fc.oneof(
        { maxDepth: 3 },
        fc.array(tie('piece'), { maxLength: 4 }).map((pieces) => pieces.join('')),
        fc.tuple(tie('piece'), tie('piece')).map((two) => two.join('|')),
      ),
    })).whole;
    const text = fc.array(letter, { maxLength: 10 }).map((chars) => chars.join(''));
    fc.assert(
      fc.property(pattern, text, (source, subject) => {
        expect(new Regex(source).test(subject)).toBe(new RegExp(source, 'i').test(subject));
      }),
      { numRuns: 5000 },
    );
  });

  it('takes no longer for a pattern that is made to', () => {
    // A backtracking engine would take 2^200 steps; this test would not end.
    expect(new Regex('^(a+)+$').test(`${'a'.repeat(200)}b`)).toBe(false);
    expect(new Regex('^(a|a)*(a|a)*(a|a)*$').test(`${'a'.repeat(200)}b`)).toBe(false);
  });
});
