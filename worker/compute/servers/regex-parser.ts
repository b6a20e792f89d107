/** Whether a character fits, given in small and in capital letters: case does not count. */
export type Test = (small: number, capital: number) => boolean;
/** A regular expression as its parts. */
export type Node =
  | { kind: 'char'; test: Test }
  | { kind: 'start' | 'end' | 'empty' }
  | { kind: 'all'; parts: Node[] }
  | { kind: 'any'; parts: Node[] }
  | { kind: 'repeat'; part: Node; min: number; max: number };

/** What is no regular expression, or one that is too large or needs more than is offered here. */
export class RegexRefused extends Error {}

/** The number of a character. */
export const codeOf = (char: string): number => char.codePointAt(0) ?? 0;
const is = (char: string): Test => {
  const wanted = codeOf(char.toLowerCase());
  return (small) => small === wanted;
};
const between =
  (from: number, to: number): Test =>
  (small, capital) =>
    (small >= from && small <= to) || (capital >= from && capital <= to);
const either =
  (tests: readonly Test[]): Test =>
  (small, capital) =>
    tests.some((test) => test(small, capital));
const not =
  (test: Test): Test =>
  (small, capital) =>
    !test(small, capital);
const digit = between(48, 57);
const word = either([digit, between(97, 122), is('_')]);
const space = either([...' \t\n\r\f\v'].map(is));
const CLASSES: Readonly<Record<string, Test>> = {
  d: digit,
  D: not(digit),
  w: word,
  W: not(word),
  s: space,
  S: not(space),
};

/** Reads a regular expression. @throws RegexRefused */
export const parseRegex = (pattern: string): Node => new Parser(pattern).parse();

class Parser {
  #at = 0;
  readonly #chars: string[];

  constructor(pattern: string) {
    this.#chars = [...pattern];
  }

  parse(): Node {
    const node = this.#alternatives();
    if (this.#at < this.#chars.length) throw new RegexRefused('unbalanced )');
    return node;
  }

  #peek = () => this.#chars[this.#at];
  #take(): string {
    const char = this.#chars[this.#at++];
    if (char === undefined) throw new RegexRefused('it ends too soon');
    return char;
  }
  #skip(char: string): boolean {
    if (this.#peek() !== char) return false;
    this.#at += 1;
    return true;
  }

  #alternatives(): Node {
    const parts = [this.#sequence()];
    while (this.#skip('|')) parts.push(this.#sequence());
    return parts.length === 1 && parts[0] ? parts[0] : { kind: 'any', parts };
  }

  #sequence(): Node {
    const parts: Node[] = [];
    for (let char = this.#peek(); char !== undefined && char !== '|' && char !== ')'; char = this.#peek()) {
      parts.push(this.#repeated(this.#atom()));
    }
    return { kind: 'all', parts };
  }

  #atom(): Node {
    const char = this.#take();
    if (char === '(') return this.#group();
    if (char === '[') return { kind: 'char', test: this.#class() };
    if (char === '.') return { kind: 'char', test: () => true };
    if (char === '^') return { kind: 'start' };
    if (char === '$') return { kind: 'end' };
    if (char === '\\') return { kind: 'char', test: this.#escape() };
    if ('*+?'.includes(char)) throw new RegexRefused('nothing to repeat');
    return { kind: 'char', test: is(char) };
  }

  #group(): Node {
    if (this.#skip('?') && !this.#skip(':')) throw new RegexRefused('no groups of that kind');
    const node = this.#alternatives();
    if (!this.#skip(')')) throw new RegexRefused('unbalanced (');
    return node;
  }

  #escape(): Test {
    const char = this.#take();
    const known = CLASSES[char];
    if (known) return known;
    if (/[a-z0-9]/i.test(char)) throw new RegexRefused(`no \\${char}`);
    return is(char);
  }

  #class(): Test {
    const negated = this.#skip('^');
    const tests: Test[] = [];
    for (let first = true; first || this.#peek() !== ']'; first = false) {
      const char = this.#take();
      if (char === '\\') {
        tests.push(this.#escape());
        continue;
      }
      const next = this.#chars[this.#at + 1];
      if (this.#peek() === '-' && next !== undefined && next !== ']') {
        this.#at += 1;
        const [from, to] = [codeOf(char), codeOf(this.#take())];
        if (to < from) throw new RegexRefused('a range the wrong way round');
        tests.push(between(from, to));
      } else tests.push(is(char));
    }
    this.#at += 1;
    return negated ? not(either(tests)) : either(tests);
  }

  #repeated(part: Node): Node {
    const char = this.#peek();
    let bounds: [number, number] | null = null;
    if (char === '*') bounds = [0, Number.POSITIVE_INFINITY];
    else if (char === '+') bounds = [1, Number.POSITIVE_INFINITY];
    else if (char === '?') bounds = [0, 1];
    else if (char === '{') bounds = this.#bounds();
    if (!bounds) return part;
    if (char !== '{') this.#at += 1;
    // Whether it takes as much or as little as it can makes no difference to whether it matches.
    this.#skip('?');
    if ('*+?{'.includes(this.#peek() ?? ' ')) throw new RegexRefused('a repeat of a repeat');
    return { kind: 'repeat', part, min: bounds[0], max: bounds[1] };
  }

  #bounds(): [number, number] | null {
    const rest = this.#chars.slice(this.#at).join('');
    const found = /^\{(\d{1,4})(,(\d{1,4})?)?\}/.exec(rest);
    if (!found) throw new RegexRefused('a { that counts nothing');
    this.#at += found[0].length;
    const min = Number(found[1]);
    const max = found[2] === undefined ? min : found[3] === undefined ? Number.POSITIVE_INFINITY : Number(found[3]);
    if (max < min) throw new RegexRefused('a count the wrong way round');
    return [min, max];
  }
}
