import { expect, it } from 'vitest';
import { covers } from './exceptions.ts';

it('is about a test, all of a class or module, or the end of a class alone', () => {
  const about = (name: string) =>
    ['m.C', 'm.C.test_a', 'm.C.test_ab', 'm.CD.test_a'].filter((test) => covers({ name, reason: '' }, test));
  expect(about('m.C.test_a')).toEqual(['m.C.test_a']);
  expect(about('m.C')).toEqual(['m.C', 'm.C.test_a', 'm.C.test_ab']);
  expect(about('m')).toHaveLength(4);
  expect(about('m.C$')).toEqual(['m.C']);
});
