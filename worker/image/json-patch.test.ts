import { describe, expect, it } from 'vitest';
import { parseChanges, patchDraft } from './json-patch.ts';
import { CHANGES_MAX } from './limits.ts';

const refusal = (status: number) => expect.objectContaining({ status });

describe('patchDraft', () => {
  it('knows both media types', () => {
    expect(patchDraft('application/openstack-images-v2.1-json-patch')).toBe('draft-10');
    expect(patchDraft('application/openstack-images-v2.0-json-patch; charset=utf-8')).toBe('draft-4');
  });

  it.each([undefined, 'application/json', 'application/json-patch+json'])(
    'refuses %j and says what it takes',
    (type) => {
      expect(() => patchDraft(type)).toThrow(
        expect.objectContaining({ status: 415, headers: { 'accept-patch': expect.stringContaining('v2.1') } }),
      );
    },
  );
});

describe('parseChanges', () => {
  it('reads the newer form', () => {
    const body = [
      { op: 'replace', path: '/name', value: 'n' },
      { op: 'add', path: '/a~1b~0c', value: 'v' },
      { op: 'remove', path: '/gone' },
    ];
    expect(parseChanges(body, 'draft-10')).toEqual([
      { op: 'replace', member: 'name', value: 'n', strictAdd: false },
      { op: 'add', member: 'a/b~c', value: 'v', strictAdd: false },
      { op: 'remove', member: 'gone' },
    ]);
  });

  it('reads the older form', () => {
    expect(parseChanges([{ add: '/a', value: 'v' }, { remove: '/b' }], 'draft-4')).toEqual([
      { op: 'add', member: 'a', value: 'v', strictAdd: true },
      { op: 'remove', member: 'b' },
    ]);
  });

  it.each([
    ['no array', { op: 'add' }],
    ['an operation that is no object', ['add']],
    ['no op', [{ path: '/a', value: '' }]],
    ['another op', [{ op: 'move', path: '/a' }]],
    ['no path', [{ op: 'add', value: '' }]],
    ['a path that is no text', [{ op: 'add', path: ['a'], value: '' }]],
    ['no value', [{ op: 'add', path: '/a' }]],
    ['a value of another type', [{ op: 'add', path: '/a', value: 5 }]],
    ['a base member of another type', [{ op: 'replace', path: '/protected', value: 'yes' }]],
    ['a path without slash', [{ op: 'add', path: 'a', value: '' }]],
    ['a path of two parts', [{ op: 'add', path: '/a/b', value: '' }]],
    ['a path into the tags', [{ op: 'add', path: '/tags/-', value: 't' }]],
    ['an empty part', [{ op: 'add', path: '/a//b', value: '' }]],
    ['a slash at the end', [{ op: 'add', path: '/a/', value: '' }]],
    ['an escape that is none', [{ op: 'add', path: '/a~2', value: '' }]],
    ['more changes than it takes', Array.from({ length: CHANGES_MAX + 1 }, () => ({ op: 'remove', path: '/a' }))],
  ])('refuses %s', (_what, body) => {
    expect(() => parseChanges(body, 'draft-10')).toThrow(refusal(400));
  });

  it('refuses two operations in one of the older form', () => {
    expect(() => parseChanges([{ add: '/a', remove: '/a', value: '' }], 'draft-4')).toThrow(refusal(400));
  });

  it.each(['/id', '/status', '/checksum', '/size', '/deleted', '/os_glance_import_task', '/locations', '/locations/-'])(
    'does not let a client change %s',
    (path) => {
      expect(() => parseChanges([{ op: 'replace', path, value: 'x' }], 'draft-10')).toThrow(refusal(403));
      expect(() => parseChanges([{ op: 'remove', path }], 'draft-10')).toThrow(refusal(403));
    },
  );
});
