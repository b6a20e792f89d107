import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { byHand } from './corpus-by-hand.ts';

/** What clients send to a route, by its name; an id stands there as its kind in braces. */
export type Corpus = Record<string, unknown[]>;

/** What `make-corpus.ts` made of other clients' requests, and what is written by hand where those send nothing. */
export function readCorpus(): Corpus {
  const corpus = JSON.parse(readFileSync(join(import.meta.dirname, 'corpus.json'), 'utf8')) as Corpus;
  for (const [name, bodies] of Object.entries(byHand)) corpus[name] = [...(corpus[name] ?? []), ...bodies];
  return corpus;
}
