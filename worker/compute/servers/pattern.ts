import { type SQL, sql } from 'drizzle-orm';
import { badRequest } from '../../http/errors.ts';

/** Characters of a pattern that a filter takes. */
const PATTERN_CHARS_MAX = 255;
const META = new Set('.^$*+?()[]{}|\\');

/**
 * A regular expression of a filter as a pattern of LIKE, where it says no more than LIKE can: text, `.`, `.*`, `.+`, and
 * anchors at its ends. Null where it says more.
 */
export function likeOf(pattern: string): string | null {
  let at = 0;
  let like = '%';
  if (pattern.startsWith('^')) {
    like = '';
    at = 1;
  }
  for (; at < pattern.length; at++) {
    const char = pattern.charAt(at);
    if (char === '$' && at === pattern.length - 1) return like;
    if (char === '.') {
      const quantifier = pattern.charAt(at + 1);
      if (quantifier === '*' || quantifier === '+') at++;
      like += quantifier === '*' ? '%' : quantifier === '+' ? '_%' : '_';
      if ('*+?{'.includes(pattern.charAt(at + 1)) && at + 1 < pattern.length) return null;
      continue;
    }
    let literal = char;
    if (char === '\\') {
      literal = pattern.charAt(++at);
      if (literal === '' || /[A-Za-z0-9]/.test(literal)) return null;
    } else if (META.has(char)) return null;
    if (at + 1 < pattern.length && '*+?{'.includes(pattern.charAt(at + 1))) return null;
    like += literal === '%' || literal === '_' || literal === '!' ? `!${literal}` : literal;
  }
  return `${like}%`;
}

/**
 * The condition that text matches a filter's regular expression, without regard to case, as with Nova on MySQL.
 * @throws ApiError 400 for one that LIKE cannot say
 */
export function matches(text: SQL, name: string, pattern: string): SQL {
  if (pattern === '' || pattern.length > PATTERN_CHARS_MAX) throw unusable(name, pattern);
  const like = likeOf(pattern);
  if (like === null) throw unusable(name, pattern);
  return sql`${text} LIKE ${like} ESCAPE '!'`;
}

const unusable = (name: string, pattern: string) =>
  badRequest(
    `Invalid input for query parameters ${name}. Value: ${pattern.slice(0, PATTERN_CHARS_MAX)}. ` +
      'Filters take text with . .* .+ and the anchors ^ and $.',
  );
