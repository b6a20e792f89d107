import { readFileSync } from 'node:fs';

/** A test, class or module that is not expected to pass, and why. */
export interface Exception {
  name: string;
  reason: string;
}

/** Reads a file of `NAME REASON` lines; empty ones and those after `#` are none. @throws Error for a line without a reason */
export function readExceptions(file: string): Exception[] {
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line.trim() !== '' && !line.startsWith('#'))
    .map((line) => {
      const found = /^(\S+)\s+(\S.*)$/.exec(line);
      if (!found) throw new Error(`${file}: no reason is given for ${line}`);
      return { name: found[1] ?? '', reason: found[2] ?? '' };
    });
}

/**
 * Whether an exception is about a test: by its name, or that of its class or module; where it ends with `$` by its name alone,
 * as the end of a class has that of the class.
 */
export const covers = ({ name }: Exception, test: string): boolean =>
  name.endsWith('$') ? test === name.slice(0, -1) : test === name || test.startsWith(`${name}.`);
