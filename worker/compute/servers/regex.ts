import { codeOf, type Node, parseRegex, RegexRefused, type Test } from './regex-parser.ts';

/** Steps that a pattern may compile to; with the length of a text it bounds what one match costs. */
const PROGRAM_MAX = 250;

type Step =
  | { op: 'char'; test: Test }
  | { op: 'split'; to: [number, number] }
  | { op: 'jump'; to: number }
  | { op: 'start' }
  | { op: 'end' }
  | { op: 'match' };

function emit(node: Node, steps: Step[]): void {
  if (steps.length > PROGRAM_MAX) throw new RegexRefused('it is too large');
  switch (node.kind) {
    case 'char':
      steps.push({ op: 'char', test: node.test });
      return;
    case 'start':
    case 'end':
      steps.push({ op: node.kind });
      return;
    case 'all':
      for (const part of node.parts) emit(part, steps);
      return;
    case 'any':
      emitAny(node.parts, steps);
      return;
    case 'repeat':
      emitRepeat(node, steps);
  }
}

function emitAny(parts: readonly Node[], steps: Step[]): void {
  const jumps: { to: number }[] = [];
  for (const [index, part] of parts.entries()) {
    if (index === parts.length - 1) {
      emit(part, steps);
      break;
    }
    const split: Step = { op: 'split', to: [steps.length + 1, 0] };
    steps.push(split);
    emit(part, steps);
    const jump: Step = { op: 'jump', to: 0 };
    steps.push(jump);
    jumps.push(jump);
    split.to[1] = steps.length;
  }
  for (const jump of jumps) jump.to = steps.length;
}

function emitRepeat({ part, min, max }: Extract<Node, { kind: 'repeat' }>, steps: Step[]): void {
  for (let made = 0; made < min; made++) emit(part, steps);
  if (max === Number.POSITIVE_INFINITY) {
    const split: Step = { op: 'split', to: [steps.length + 1, 0] };
    const back = steps.length;
    steps.push(split);
    emit(part, steps);
    steps.push({ op: 'jump', to: back });
    split.to[1] = steps.length;
    return;
  }
  const splits: { to: [number, number] }[] = [];
  for (let made = min; made < max; made++) {
    const split: Step = { op: 'split', to: [steps.length + 1, 0] };
    steps.push(split);
    splits.push(split);
    emit(part, steps);
  }
  for (const split of splits) split.to[1] = steps.length;
}

/**
 * A regular expression that takes time in proportion to its own length and the text's, whatever either is: a filter comes
 * from anyone. Case does not count.
 */
export class Regex {
  readonly #steps: readonly Step[];

  /** @throws RegexRefused */
  constructor(pattern: string) {
    const steps: Step[] = [];
    emit(parseRegex(pattern), steps);
    steps.push({ op: 'match' });
    this.#steps = steps;
  }

  /** Whether it matches anywhere in a text. */
  test(text: string): boolean {
    const chars = Array.from(text, (char) => [codeOf(char.toLowerCase()), codeOf(char.toUpperCase())] as const);
    let now = new Set<number>();
    for (let at = 0; ; at++) {
      // A match may begin at every place, so the first step is always among those under way.
      const reached = this.#closure([...now, 0], at === 0, at === chars.length);
      if (reached === null) return true;
      const char = chars[at];
      if (char === undefined) return false;
      now = new Set<number>();
      for (const index of reached) {
        const step = this.#steps[index];
        if (step?.op === 'char' && step.test(...char)) now.add(index + 1);
      }
    }
  }

  /** The steps that wait for a character, from these on without one; null where the match is found. */
  #closure(from: readonly number[], atStart: boolean, atEnd: boolean): Set<number> | null {
    const seen = new Set<number>();
    const todo = [...from];
    for (let index = todo.pop(); index !== undefined; index = todo.pop()) {
      if (seen.has(index)) continue;
      seen.add(index);
      const step = this.#steps[index];
      if (step?.op === 'match') return null;
      if (step?.op === 'jump') todo.push(step.to);
      else if (step?.op === 'split') todo.push(...step.to);
      else if ((step?.op === 'start' && atStart) || (step?.op === 'end' && atEnd)) todo.push(index + 1);
    }
    return seen;
  }
}
