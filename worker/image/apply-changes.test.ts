import { describe, expect, it } from 'vitest';
import { applyChanges } from './apply-changes.ts';
import { parseChanges } from './json-patch.ts';
import { PROPERTIES_MAX, TAGS_MAX } from './limits.ts';
import type { ImageRow } from './views.ts';

const row: ImageRow = {
  id: '11111111-1111-4111-8111-111111111111',
  region: 'RegionOne',
  projectId: 'p',
  name: 'old',
  status: 'queued',
  visibility: 'shared',
  protected: false,
  osHidden: false,
  containerFormat: null,
  diskFormat: null,
  minDiskGib: 0,
  minRamMib: 0,
  sizeBytes: null,
  virtualSizeBytes: null,
  md5: null,
  sha256: null,
  sha512: null,
  blobKey: null,
  staged: null,
  properties: { kept: '1', dropped: '2' },
  tags: ['t'],
  createdAtMs: 0,
  updatedAtMs: 0,
};
const apply = (body: unknown[], of: Partial<ImageRow> = {}, draft: 'draft-4' | 'draft-10' = 'draft-10') =>
  applyChanges({ ...row, ...of }, parseChanges(body, draft));
const refusal = (status: number) => expect.objectContaining({ status });

describe('applyChanges', () => {
  it('sets every base member that may be set', () => {
    const values = {
      name: 'new',
      visibility: 'public',
      protected: true,
      os_hidden: true,
      owner: 'q',
      container_format: 'bare',
      disk_format: 'qcow2',
      min_disk: 3,
      min_ram: 4,
      tags: ['a', 'b', 'a'],
    };
    const body = Object.entries(values).map(([member, value]) => ({ op: 'replace', path: `/${member}`, value }));
    expect(apply(body)).toEqual({
      name: 'new',
      visibility: 'public',
      protected: true,
      osHidden: true,
      projectId: 'q',
      containerFormat: 'bare',
      diskFormat: 'qcow2',
      minDiskGib: 3,
      minRamMib: 4,
      tags: ['a', 'b'],
      properties: row.properties,
    });
  });

  it('adds, replaces and removes extra properties, each seeing those before it', () => {
    const body = [
      { op: 'add', path: '/new', value: 'a' },
      { op: 'replace', path: '/new', value: 'b' },
      { op: 'remove', path: '/dropped' },
      { op: 'add', path: '/kept', value: 'c' },
      { op: 'add', path: '/__proto__', value: 'd' },
    ];
    expect(JSON.stringify(apply(body).properties)).toBe('{"kept":"c","new":"b","__proto__":"d"}');
    expect(row.properties).toEqual({ kept: '1', dropped: '2' });
  });

  it('removes a kernel that is set to null', () => {
    const kernel = { properties: { kernel_id: row.id } };
    expect(apply([{ op: 'replace', path: '/kernel_id', value: null }], kernel).properties).toEqual({});
  });

  it.each([
    ['a missing property is replaced', [{ op: 'replace', path: '/missing', value: '' }], 409],
    ['a missing property is removed', [{ op: 'remove', path: '/missing' }], 409],
    ['a base member is removed', [{ op: 'remove', path: '/name' }], 403],
  ])('refuses when %s', (_what, body, status) => {
    expect(() => apply(body)).toThrow(refusal(status));
  });

  it('refuses in the older form to add what is there', () => {
    expect(() => apply([{ add: '/kept', value: 'x' }], {}, 'draft-4')).toThrow(refusal(409));
    expect(() => apply([{ add: '/name', value: 'x' }], {}, 'draft-4')).toThrow(refusal(409));
  });

  it.each(['disk_format', 'container_format'])('keeps the %s once there is data', (member) => {
    const value = member === 'disk_format' ? 'raw' : 'bare';
    for (const status of ['saving', 'active', 'deactivated'] as const) {
      expect(() => apply([{ op: 'replace', path: `/${member}`, value }], { status })).toThrow(refusal(403));
    }
  });

  it('holds to the quotas', () => {
    const many = Object.fromEntries(Array.from({ length: PROPERTIES_MAX }, (_, at) => [`p${at}`, '']));
    const add = [{ op: 'add', path: '/one-more', value: '' }];
    expect(() => apply(add, { properties: many })).toThrow(refusal(413));
    expect(apply([{ op: 'remove', path: '/p0' }, ...add], { properties: many }).properties).toHaveProperty('one-more');
    const tags = Array.from({ length: TAGS_MAX + 1 }, (_, at) => `t${at}`);
    expect(() => apply([{ op: 'replace', path: '/tags', value: tags }])).toThrow(refusal(413));
  });
});
