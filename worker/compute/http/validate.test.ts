import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { createServerBody } from '../servers/create-schema.ts';
import { name } from './parameters.ts';
import { check } from './validate.ts';

const minimal = { name: 's', flavorRef: '1', imageRef: '70a599e0-31e7-49b7-b260-868f441e862b', networks: 'none' };
const refused = (server: Record<string, unknown>, version = 37): string => {
  try {
    check({ server }, createServerBody(version));
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error('it was taken');
};

describe('refusals in the words of Nova', () => {
  it.each([
    [{ ...minimal, name: '' }, "Invalid input for field/attribute name. Value: . '' is too short"],
    [{ ...minimal, name: 5 }, "Invalid input for field/attribute name. Value: 5. 5 is not of type 'string'"],
    [
      { name: 's', networks: 'none' },
      "Invalid input for field/attribute server. Value: {'name': 's', 'networks': 'none'}. 'flavorRef' is a required property",
    ],
    [
      { ...minimal, nonsense: true },
      /^Invalid input for field\/attribute server\. Value: .* Additional properties are not allowed \('nonsense' was unexpected\)$/,
    ],
    [
      { ...minimal, 'OS-DCF:diskConfig': 'auto' },
      "Invalid input for field/attribute OS-DCF:diskConfig. Value: auto. 'auto' is not one of ['AUTO', 'MANUAL']",
    ],
    [
      { ...minimal, accessIPv4: '1.2.3' },
      "Invalid input for field/attribute accessIPv4. Value: 1.2.3. '1.2.3' is not a 'ipv4'",
    ],
    [
      { ...minimal, min_count: 0 },
      /^Invalid input for field\/attribute min_count\. Value: 0\. 0 is less than the minimum of 1$/,
    ],
    [{ ...minimal, user_data: '!!' }, "Invalid input for field/attribute user_data. Value: !!. '!!' is not a 'base64'"],
  ])('of %j', (server, message) => {
    expect(refused(server)).toMatch(message);
  });

  it('of a value as long as a body shows no more than its start', () => {
    expect(refused({ ...minimal, name: 'x'.repeat(10_000) }).length).toBeLessThan(800);
  });

  it('follow the version', () => {
    const { networks: _networks, ...older } = minimal;
    expect(check({ server: older }, createServerBody(1)).server.name).toBe('s');
    expect(refused(older, 37)).toMatch(/'networks' is a required property/);
    expect(refused({ ...older, description: 'd' }, 18)).toMatch(/'description' was unexpected/);
    expect(check({ server: { ...minimal, description: null } }, createServerBody(37)).server.description).toBeNull();
    expect(refused({ ...minimal, hostname: 'h1' }, 89)).toMatch(/'hostname' was unexpected/);
    expect(refused({ ...minimal, personality: [] }, 57)).toMatch(/'personality' was unexpected/);
  });
});

describe('names', () => {
  it.each(['a', 'my server', 'é中😀', 'a'.repeat(255)])('take %j', (text) => {
    expect(check(text, name)).toBe(text);
  });
  it.each([' a', 'a ', 'a\nb', 'a\u0000', '\u2028'])('refuse %j', (text) => {
    expect(() => check({ name: text }, z.object({ name }))).toThrow(/Can not start or end with whitespace/);
  });
});
