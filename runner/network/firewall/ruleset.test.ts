import { expect, it } from 'vitest';
import { changeScript, fullScript, type Ruleset } from './ruleset.ts';

function ruleset(chains: Record<string, string[]>, elements: Record<string, string>): Ruleset {
  return [
    {
      family: 'inet',
      name: 'ae',
      sets: new Map([['jumps', { type: 'type mark : verdict', elements: new Map(Object.entries(elements)) }]]),
      chains: new Map(Object.entries(chains).map(([name, rules]) => [name, { hook: null, rules }])),
    },
  ];
}

it('replaces whatever is there in one script', () => {
  expect(fullScript(ruleset({ one: ['accept'] }, { 1: 'jump one' }))).toBe(
    [
      'add table inet ae',
      'delete table inet ae',
      'add table inet ae',
      'add map inet ae jumps { type mark : verdict; }',
      'add chain inet ae one',
      'add rule inet ae one accept',
      'add element inet ae jumps { 1 : jump one }',
      '',
    ].join('\n'),
  );
});

it('changes only what differs, in an order in which all that is named exists', () => {
  const before = ruleset(
    { one: ['accept'], two: ['drop'], same: ['drop'] },
    { 1: 'jump one', 2: 'jump two', 3: 'drop' },
  );
  const after = ruleset({ two: ['accept'], three: ['drop'], same: ['drop'] }, { 1: 'jump three', 2: 'jump two' });
  expect(changeScript(before, after)).toBe(
    [
      'add chain inet ae three',
      'flush chain inet ae two',
      'add rule inet ae two accept',
      'add rule inet ae three drop',
      'delete element inet ae jumps { 1 : jump one, 3 : drop }',
      'add element inet ae jumps { 1 : jump three }',
      'flush chain inet ae one',
      'delete chain inet ae one',
      '',
    ].join('\n'),
  );
  expect(changeScript(after, after)).toBe('');
});
