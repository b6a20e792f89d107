import { type SQL, sql } from 'drizzle-orm';
import { badRequest } from '../../http/errors.ts';
import { Regex } from './regex.ts';
import { RegexRefused } from './regex-parser.ts';

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

/** What of a filter no SQL can say: texts of each server, as an SQL expression of a JSON array, one of which must match. */
export interface Residue {
  texts: SQL;
  regex: Regex;
}
export type Condition = { sql: SQL } | { residue: Residue };

/**
 * The condition that one of a server's texts matches a filter's regular expression, without regard to case, as with Nova
 * on MySQL.
 * @param of.where - the condition in SQL, given how to say that a text matches
 * @param of.texts - all texts, for an expression that LIKE cannot say
 * @throws ApiError 400 for what is no regular expression
 */
export function matching(
  name: string,
  pattern: string,
  of: { where: (matches: (text: SQL) => SQL) => SQL; texts: SQL },
): Condition {
  const refused = (why: string) =>
    badRequest(
      `Invalid input for query parameters ${name}. Value: ${pattern.slice(0, PATTERN_CHARS_MAX)}. It is not a 'regex' that can be used here: ${why}.`,
    );
  if (pattern === '') throw refused('it is empty');
  if (pattern.length > PATTERN_CHARS_MAX) throw refused(`it has more than ${PATTERN_CHARS_MAX} characters`);
  const like = likeOf(pattern);
  if (like !== null) return { sql: of.where((text) => sql`${text} LIKE ${like} ESCAPE '!'`) };
  try {
    return { residue: { texts: of.texts, regex: new Regex(pattern) } };
  } catch (error) {
    if (error instanceof RegexRefused) throw refused(error.message);
    throw error;
  }
}
