import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { shellBlocks } from './readme-blocks.ts';

const ROOT = join(import.meta.dirname, '..');
const DOCUMENTS = ['README.md', ...readdirSync(join(ROOT, 'docs')).map((name) => `docs/${name}`)];

it.each(DOCUMENTS)('%s says of each command who runs it', (document) => {
  for (const { marker } of shellBlocks(join(ROOT, document))) {
    if (marker !== 'needs an account') expect(existsSync(join(ROOT, marker)), marker).toBe(true);
  }
});

it.each(DOCUMENTS)('%s links to files that are there', (document) => {
  const text = readFileSync(join(ROOT, document), 'utf8');
  for (const [, target] of text.matchAll(/\]\((?!https?:)([^)#]+)/g)) {
    expect(existsSync(join(ROOT, document, '..', target ?? '')), target).toBe(true);
  }
});

it('names only npm scripts that are there', () => {
  const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
    scripts: Record<string, string>;
  };
  for (const document of DOCUMENTS) {
    const text = readFileSync(join(ROOT, document), 'utf8');
    for (const [, script] of text.matchAll(/npm run ([a-z:]+)/g))
      expect(Object.keys(scripts), document).toContain(script);
  }
});
