import { describe, expect, it } from 'vitest';
import { EVENT_DATA_BYTES_MAX, EVENT_FILTER, EVENT_TYPE_NAMES, EVENT_TYPES, typesOf } from './event-types.ts';

describe('types of events', () => {
  it.each(EVENT_TYPE_NAMES)('%s has a name of the standard, an example of its schema, and a word on it', (name) => {
    const { data, example, summary, version } = EVENT_TYPES[name];
    expect(name).toMatch(/^[a-z_]+(\.[a-z_]+)+$/);
    expect(data.parse(example)).toEqual(example);
    expect(data.safeParse({}).success).toBe(false);
    expect(JSON.stringify(example).length).toBeLessThan(EVENT_DATA_BYTES_MAX);
    expect(summary).toMatch(/\.$/);
    expect(version).toBeGreaterThan(0);
  });

  it('are chosen by filters', () => {
    expect(typesOf('server.created')).toEqual(['server.created']);
    expect(typesOf('network.*')).toEqual(['network.created', 'network.updated', 'network.deleted']);
    expect(typesOf('billing.balance.*')).toHaveLength(3);
    expect(typesOf('*')).toEqual(EVENT_TYPE_NAMES);
    for (const none of ['', 'server', 'server.', 'serv*', '*.created', 'server.c?eated', '[a-z]*', 'server.*.x']) {
      expect(typesOf(none)).toEqual([]);
    }
  });

  it.each(['server.c?eated', '[a-z]*', '**', 'server.**', 'a*b', "x'", 'SERVER.*'])('%s is no filter', (text) => {
    expect(text).not.toMatch(EVENT_FILTER);
  });
});
