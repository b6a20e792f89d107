import { expect, it } from 'vitest';
import { ipBatch } from './links.ts';

it('refuses an argument that could become another command', async () => {
  for (const word of ['a b', 'a\nlink delete lo', 'a#', '"a"', '', 'a\\']) {
    await expect(ipBatch([['link', 'show', word]])).rejects.toThrow('not a plain argument');
  }
});
