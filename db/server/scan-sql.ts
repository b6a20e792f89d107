/** One statement of a text: where it lies, its bare words, and its parameters in SQLite's numbering. */
export interface ScannedStatement {
  sql: string;
  /** Bare words in upper case, quoted names and strings left out; at most WORDS_KEPT of them. */
  words: string[];
  /** Whether a word stands in it that only a statement that writes can have. */
  writes: boolean;
  /** The name of each parameter by its index less one, null where it has none. */
  parameters: (string | null)[];
}

/** Enough to tell every kind of statement apart. */
const WORDS_KEPT = 5;
const WRITING_WORDS = new Set(['INSERT', 'UPDATE', 'DELETE', 'REPLACE']);
const PARAMETER_INDEX_MAX = 32_766;

// Space and comments, quoted things, parameters, numbers, words, anything else. A quote or comment left open runs to
// the end, where SQLite will say what is wrong with it.
const TOKEN =
  /\s+|--[^\n]*|\/\*[\s\S]*?(?:\*\/|$)|'[^']*(?:''[^']*)*(?:'|$)|"[^"]*(?:""[^"]*)*(?:"|$)|`[^`]*(?:``[^`]*)*(?:`|$)|\[[^\]]*(?:\]|$)|\?\d*|[:@$](?:[\w$\u0080-\uffff]|::)+|\d[\w.]*|[A-Za-z_\u0080-\uffff][\w$\u0080-\uffff]*|[\s\S]/g;
const SPACE_OR_COMMENT = /^(?:\s|--|\/\*)/;
const WORD = /^[A-Za-z_\u0080-\uffff]/;
const PARAMETER = /^(?:\?|[:@$].)/;

class StatementScan {
  readonly words: string[] = [];
  readonly parameters: (string | null)[] = [];
  readonly #indexes = new Map<string, number>();
  readonly #start: number;
  writes = false;
  empty = true;
  #last = '';
  #beforeLast = '';

  constructor(start: number) {
    this.#start = start;
  }

  token(text: string): void {
    this.empty = false;
    this.#beforeLast = this.#last;
    this.#last = text;
  }

  word(text: string): void {
    const word = text.toUpperCase();
    this.token(word);
    if (this.words.length < WORDS_KEPT) this.words.push(word);
    if (WRITING_WORDS.has(word)) this.writes = true;
  }

  parameter(text: string): void {
    this.token(text);
    const known = this.#indexes.get(text);
    if (known !== undefined) return;
    const index = text.length > 1 && text[0] === '?' ? Number(text.slice(1)) : this.parameters.length + 1;
    // Out of range is left to SQLite, which refuses it.
    if (index < 1 || index > PARAMETER_INDEX_MAX) return;
    while (this.parameters.length < index) this.parameters.push(null);
    if (text === '?') return;
    this.#indexes.set(text, index);
    this.parameters[index - 1] ??= text;
  }

  /** Whether a separator here ends the statement: a trigger's body has its own, and ends only at `; END;`. */
  endsHere(): boolean {
    const [first, second, third] = this.words;
    const temporary = second === 'TEMP' || second === 'TEMPORARY';
    const isTrigger = first === 'CREATE' && (temporary ? third : second) === 'TRIGGER';
    return !isTrigger || (this.#last === 'END' && this.#beforeLast === ';');
  }

  finish(sql: string, end: number): ScannedStatement {
    return {
      sql: sql.slice(this.#start, end),
      words: this.words,
      writes: this.writes,
      parameters: this.parameters,
    };
  }
}

/** Split a text into its statements, as SQLite would, without parsing them. Comments alone are no statement. */
export function scanSql(sql: string): ScannedStatement[] {
  const statements: ScannedStatement[] = [];
  let scan = new StatementScan(0);
  for (const match of sql.matchAll(TOKEN)) {
    const text = match[0];
    if (SPACE_OR_COMMENT.test(text)) continue;
    if (WORD.test(text)) scan.word(text);
    else if (PARAMETER.test(text)) scan.parameter(text);
    else if (text === ';' && scan.endsHere()) {
      if (!scan.empty) statements.push(scan.finish(sql, match.index));
      scan = new StatementScan(match.index + 1);
    } else scan.token(text);
  }
  if (!scan.empty) statements.push(scan.finish(sql, sql.length));
  return statements;
}
