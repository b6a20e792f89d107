import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { portSpec } from '../../../shared/specs/network.ts';
import { dnsLabel } from './dns-label.ts';

describe('dnsLabel', () => {
  it.each([
    ['Web Server_1', 'web-server-1'],
    ['Großes Café', 'groes-cafe'],
    ['--x--', 'x'],
    ['a.b.c', 'a-b-c'],
    ['日本', ''],
    [`${'a'.repeat(62)}-b`, 'a'.repeat(62)],
  ])('makes %s %s', (name, label) => expect(dnsLabel(name)).toBe(label));

  it('is empty, or what a spec takes as a hostname', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (name) => {
        const label = dnsLabel(name);
        expect(label === '' || portSpec.shape.hostname.safeParse(label).success).toBe(true);
      }),
    );
  });
});
