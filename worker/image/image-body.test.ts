import { describe, expect, it } from 'vitest';
import { extraProperties, parseImageBody } from './image-body.ts';

const refusal = (status: number) => expect.objectContaining({ status });

describe('parseImageBody', () => {
  it('takes base members and any other member that is a text', () => {
    const body = parseImageBody({ name: 'cirros', min_disk: 1, os_command_line: 'console=ttyS0', 'a.b:c': '' });
    expect(body).toMatchObject({ name: 'cirros', min_disk: 1 });
    expect(extraProperties(body)).toEqual({ os_command_line: 'console=ttyS0', 'a.b:c': '' });
  });

  it('leaves out a kernel that is null', () => {
    expect(extraProperties(parseImageBody({ kernel_id: null, ramdisk_id: null }))).toEqual({});
  });

  it.each([
    ['a number as extra property', { foo: 1 }],
    ['null as extra property', { foo: null }],
    ['another disk format', { disk_format: 'floppy' }],
    ['a negative size', { min_disk: -1 }],
    ['a fraction', { min_ram: 1.5 }],
    ['an id that is none', { id: 'me' }],
    ['a kernel that is no id', { kernel_id: '../../etc/passwd' }],
    ['a name that is too long', { name: 'x'.repeat(256) }],
    ['a tag that is too long', { tags: ['x'.repeat(256)] }],
    ['another visibility', { visibility: 'secret' }],
    ['a property name that is too long', { ['x'.repeat(256)]: 'y' }],
    ['a value that is too long', { foo: 'x'.repeat(65_536) }],
    ['an array', []],
    ['null', null],
  ])('refuses %s', (_what, value) => {
    expect(() => parseImageBody(value)).toThrow(refusal(400));
  });

  it.each(['status', 'size', 'checksum', 'os_hash_value', 'self', 'direct_url', 'deleted', 'locations', 'os_glance_x'])(
    'does not let a client set %s',
    (member) => {
      expect(() => parseImageBody({ [member]: 'x' })).toThrow(refusal(403));
    },
  );
});
