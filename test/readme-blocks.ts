import { readFileSync } from 'node:fs';

/** A block of commands in a document, with what stands above it about who runs it. */
export interface Block {
  /** A test's path, or `needs an account`. */
  marker: string;
  code: string;
}

/** The shell blocks of a Markdown file. @throws Error for one without a marker above it */
export function shellBlocks(file: string): Block[] {
  const text = readFileSync(file, 'utf8');
  const all = [...text.matchAll(/^```sh$/gm)].length;
  const marked = [...text.matchAll(/^<!-- (?:tested: )?(.+?) -->\n```sh\n([\s\S]*?)^```$/gm)];
  if (marked.length !== all) throw new Error(`${file}: ${all - marked.length} shell block(s) do not say who runs them`);
  return marked.map((match) => ({ marker: match[1] ?? '', code: match[2] ?? '' }));
}
