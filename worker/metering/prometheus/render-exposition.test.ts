import { expect, it } from 'vitest';
import { renderExposition } from './render-exposition.ts';

it('writes families with their labels, whatever stands in them', () => {
  const families = [
    {
      name: 'a_up',
      type: 'gauge' as const,
      help: 'Is\nit \\ there',
      figures: [{ labels: { at: 'x"\\\n' }, value: 1 }],
    },
    { name: 'b_total', type: 'counter' as const, help: 'All', figures: [{ labels: {}, value: 2.5 }] },
    { name: 'c', type: 'gauge' as const, help: 'None', figures: [] },
  ];
  expect(renderExposition(families)).toBe(
    [
      '# HELP a_up Is\\nit \\\\ there',
      '# TYPE a_up gauge',
      'a_up{at="x\\"\\\\\\n"} 1',
      '# HELP b_total All',
      '# TYPE b_total counter',
      'b_total 2.5',
      '# HELP c None',
      '# TYPE c gauge',
      '',
    ].join('\n'),
  );
});
