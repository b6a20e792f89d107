import { expect, test } from 'vitest';
import { edgeContext } from '../../test/edge-context.ts';
import { seal, unseal } from './sealed.ts';

const ctx = edgeContext();

test('what is sealed opens again, for what it was sealed for', async () => {
  const sealed = await seal(ctx, 'a test', 'hush ☂');
  expect(sealed).not.toContain('hush');
  expect(await seal(ctx, 'a test', 'hush ☂')).not.toBe(sealed);
  expect(await unseal(ctx, 'a test', sealed)).toBe('hush ☂');
  expect(await unseal(ctx, 'another', sealed)).toBeUndefined();
});

test('what was changed, sealed under another key, or never sealed does not open', async () => {
  const sealed = await seal(ctx, 'a test', 'hush');
  const other = edgeContext({ env: { ...ctx.env, TOKEN_KEY: btoa('another key of thirty-two bytes!') } });
  expect(await unseal(other, 'a test', sealed)).toBeUndefined();
  const at = sealed.lastIndexOf('.') - 4;
  const bent = sealed.slice(0, at) + (sealed[at] === 'A' ? 'B' : 'A') + sealed.slice(at + 1);
  for (const text of [bent, '', 'junk', 'a.b.c.d.e']) expect(await unseal(ctx, 'a test', text)).toBeUndefined();
});
