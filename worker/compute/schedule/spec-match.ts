/** How an extra spec asks for a value: Nova's operators, compared as numbers, as texts, or as parts of a text. */
const OPERATORS: Readonly<Record<string, (value: string, wanted: string) => boolean>> = {
  // As old as Nova: `=` is at least.
  '=': (value, wanted) => Number(value) >= Number(wanted),
  '==': (value, wanted) => Number(value) === Number(wanted),
  '!=': (value, wanted) => Number(value) !== Number(wanted),
  '>=': (value, wanted) => Number(value) >= Number(wanted),
  '<=': (value, wanted) => Number(value) <= Number(wanted),
  's==': (value, wanted) => value === wanted,
  's!=': (value, wanted) => value !== wanted,
  's<': (value, wanted) => value < wanted,
  's<=': (value, wanted) => value <= wanted,
  's>': (value, wanted) => value > wanted,
  's>=': (value, wanted) => value >= wanted,
};
const IN = '<in>';
const ALL_IN = '<all-in>';
const OR = '<or>';

/** Whether a value is what an extra spec asks for: an operator and its operand, alternatives, parts, or the value itself. */
export function matches(value: string, asked: string): boolean {
  const [first = '', ...rest] = asked.trim().split(/\s+/);
  if (first === OR) {
    return rest
      .join(' ')
      .split(OR)
      .some((one) => one.trim() === value);
  }
  if (first === IN) return value.includes(rest[0] ?? '');
  if (first === ALL_IN) {
    return rest.filter((word) => word !== ALL_IN).every((word) => value.includes(word));
  }
  const operator = Object.hasOwn(OPERATORS, first) ? OPERATORS[first] : undefined;
  return operator ? operator(value, rest.join(' ')) : value === asked;
}
