/** Values of a claim as they are put into a template: one, or a list. */
export type Value = string | string[];

const TOKEN = /\{\{|\}\}|\{(\d{1,3})\}|[{}]/g;

/**
 * The numbers of the claims that a template names: `{0} {2}` has 0 and 2.
 * @throws Error for braces that stand for nothing
 */
export function placeholders(template: string): number[] {
  const found: number[] = [];
  for (const [token, index] of template.matchAll(TOKEN)) {
    if (index !== undefined) found.push(Number(index));
    else if (token.length === 1)
      throw new Error(`"${template}" has a brace that is no {0}, {1}, ...: write {{ or }} for a brace itself`);
  }
  return found;
}

/** A list in text, as Keystone writes it there. */
const listText = (values: string[]): string => `[${values.map((value) => `'${value}'`).join(', ')}]`;

/** A template with its claims in place. A list stays one where the template is nothing but its name. */
export function fill(template: string, claims: readonly string[][]): Value {
  const whole = /^\{(\d{1,3})\}$/.exec(template);
  const list = whole && claims[Number(whole[1])];
  if (list && list.length !== 1) return list;
  return template.replace(TOKEN, (token, index: string | undefined) => {
    if (index === undefined) return token[0] ?? '';
    const values = claims[Number(index)] ?? [];
    return values.length === 1 ? (values[0] ?? '') : listText(values);
  });
}

/** The same where only one text will do. */
export function fillText(template: string, claims: readonly string[][]): string {
  const value = fill(template, claims);
  return typeof value === 'string' ? value : listText(value);
}

/** The same where a list is wanted. An operator may write one out: `['a', 'b']`; what a provider says is never read so. */
export function fillList(template: string, claims: readonly string[][]): string[] {
  const value = fill(template, claims);
  if (typeof value !== 'string') return value;
  return (placeholders(template).length === 0 && listOf(value)) || [value];
}

function listOf(text: string): string[] | undefined {
  if (!/^\s*\[.*\]\s*$/s.test(text)) return undefined;
  const items = [...text.matchAll(/'([^']*)'|"([^"]*)"/g)].map((match) => match[1] ?? match[2] ?? '');
  return items.length > 0 || /^\s*\[\s*\]\s*$/.test(text) ? items : undefined;
}
