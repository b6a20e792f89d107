import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { likeOf } from './pattern.ts';

/** What a pattern of LIKE with `!` as its escape means. */
function likeMatches(like: string, text: string): boolean {
  let source = '';
  for (let at = 0; at < like.length; at++) {
    const char = like.charAt(at);
    if (char === '%') source += '[^]*';
    else if (char === '_') source += '[^]';
    else {
      const literal = char === '!' ? like.charAt(++at) : char;
      source += literal.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
    }
  }
  return new RegExp(`^${source}$`, 'iu').test(text);
}

describe('likeOf', () => {
  it.each([
    ['web', '%web%'],
    ['^web', 'web%'],
    ['web$', '%web'],
    ['^web-.*-1$', 'web-%-1'],
    ['a.b', '%a_b%'],
    ['a.+b', '%a_%b%'],
    ['10\\.0\\.0', '%10.0.0%'],
    ['50%_!', '%50!%!_!!%'],
  ])('says %j as %j', (pattern, like) => {
    expect(likeOf(pattern)).toBe(like);
  });

  it.each(['[0-9]', 'a|b', '(a)', 'a*', 'a{2}', '\\d', 'a$b', 'a^', '.**', '\\'])('leaves %j to others', (pattern) => {
    expect(likeOf(pattern)).toBeNull();
  });

  it('means what the regular expression means', () => {
    const letter = fc.constantFrom('a', 'b', 'A', '-', '%', '_', '!', ' ');
    const piece = fc.oneof(letter, fc.constantFrom('.', '.*', '.+', '\\.'));
    const pattern = fc
      .tuple(fc.constantFrom('', '^'), fc.array(piece, { maxLength: 6 }), fc.constantFrom('', '$'))
      .map(([start, pieces, end]) => `${start}${pieces.join('')}${end}`);
    const text = fc.array(fc.oneof(letter, fc.constant('.')), { maxLength: 8 }).map((chars) => chars.join(''));
    fc.assert(
      fc.property(pattern, text, (regex, subject) => {
        const like = likeOf(regex);
        fc.pre(like !== null);
        expect(likeMatches(like, subject)).toBe(new RegExp(regex, 'iu').test(subject));
      }),
      { numRuns: 2000 },
    );
  });
});
