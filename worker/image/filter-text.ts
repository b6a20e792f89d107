import { badRequest } from '../http/errors.ts';
import { FILTER_VALUES_MAX } from './limits.ts';
import { parseMoment } from './moment.ts';

/** `in:a,b` as operator and operand; without an operator it is `eq`, a moment with its colons included. */
export function splitOperator(expression: string): [operator: string, operand: string] {
  const colon = expression.indexOf(':');
  if (colon < 0 || parseMoment(expression) !== undefined) return ['eq', expression];
  return [expression.slice(0, colon), expression.slice(colon + 1)];
}

/** One value of a list: in quotes, with backslash escapes kept as they are, or up to a comma; or a lone comma. */
const VALUE = /"([^"\\]*(?:\\.[^"\\]*)*)",?|([^,]+),?|,/g;

/**
 * The values of an `in:` filter: divided by commas, in double quotes where they hold some.
 * @throws ApiError 400 quotes that do not match, or too many values
 */
export function splitValues(text: string): string[] {
  checkQuotes(text);
  const values = [...text.matchAll(VALUE)].map((match) => match[1] || match[2] || '');
  if (values.length > FILTER_VALUES_MAX) throw badRequest(`A filter takes at most ${FILTER_VALUES_MAX} values.`);
  return values;
}

function checkQuotes(text: string): void {
  let open = false;
  for (let at = 0; at < text.length; at += 1) {
    if (text[at] !== '"' || text[at - 1] === '\\') continue;
    if (!open && at > 0 && text[at - 1] !== ',') {
      throw badRequest(`Invalid filter value ${text}. There is no comma before opening quotation mark.`);
    }
    if (open && at + 1 < text.length && text[at + 1] !== ',') {
      throw badRequest(`Invalid filter value ${text}. There is no comma after closing quotation mark.`);
    }
    open = !open;
  }
  if (open) throw badRequest(`Invalid filter value ${text}. The quote is not closed.`);
}
