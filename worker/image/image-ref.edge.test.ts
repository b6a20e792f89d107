import { describe, expect, it } from 'vitest';
import { images } from '../../db/schema/image.ts';
import { actorContextOf } from '../../test/edge-context.ts';
import { runBatch } from '../http/commit.ts';
import { imageOf, imageReads } from './image-ref.ts';
import type { ImageRow } from './views.ts';

const SHA256 = 'ab'.repeat(32);

/** An active image of a project, as it is after an upload. */
async function image(projectId: string, of: Partial<ImageRow> = {}): Promise<string> {
  const ctx = actorContextOf(projectId);
  const id = crypto.randomUUID();
  await ctx.db.insert(images).values({
    id,
    region: ctx.region,
    projectId,
    name: 'i',
    status: 'active',
    visibility: 'private',
    containerFormat: 'bare',
    diskFormat: 'qcow2',
    sizeBytes: 7,
    virtualSizeBytes: 70,
    sha256: SHA256,
    createdAtMs: 1,
    updatedAtMs: 1,
    ...of,
  });
  return id;
}
const read = async (projectId: string, id: string, roles?: string[]) => {
  const ctx = actorContextOf(projectId, roles);
  return imageOf(ctx, id, await runBatch(ctx.db, imageReads(ctx, id)));
};
const newProject = () => crypto.randomUUID().replaceAll('-', '');
const refusal = (message: RegExp) => expect.objectContaining({ status: 400, message: expect.stringMatching(message) });

describe('the image of a server', () => {
  it('comes with its kernel and ramdisk in one read', async () => {
    const project = newProject();
    const kernelId = await image(project, { diskFormat: 'aki', containerFormat: 'aki' });
    const ramdiskId = await image(newProject(), { diskFormat: 'ari', containerFormat: 'ari', visibility: 'public' });
    const properties = { kernel_id: kernelId, ramdisk_id: ramdiskId, os_command_line: 'console=ttyS0' };
    const id = await image(project, { properties, minDiskGib: 3, minRamMib: 4 });
    const ref = { sha256: SHA256, size_bytes: 7 };
    expect(await read(project, id)).toEqual({
      image: { ...ref, id, disk_format: 'qcow2' },
      kernel: { ...ref, id: kernelId, disk_format: 'aki' },
      ramdisk: { ...ref, id: ramdiskId, disk_format: 'ari' },
      kernelCommandLine: 'console=ttyS0',
      name: 'i',
      minDiskGib: 3,
      minRamMib: 4,
      virtualSizeBytes: 70,
      properties,
    });
  });

  it('has neither where its properties name none', async () => {
    const project = newProject();
    const id = await image(project, { properties: { kernel_id: '', ramdisk_id: '', os_command_line: '' } });
    expect(await read(project, id)).toMatchObject({ kernel: null, ramdisk: null, kernelCommandLine: null });
  });

  it('is not another project’s, nor is its kernel', async () => {
    const project = newProject();
    const foreign = await image(newProject());
    await expect(read(project, foreign)).rejects.toEqual(refusal(/^Can not find requested image$/));
    const id = await image(project, { properties: { kernel_id: foreign } });
    await expect(read(project, id)).rejects.toEqual(refusal(/^Can not find requested image$/));
    expect((await read(project, id, ['admin', 'member', 'reader'])).kernel).toMatchObject({ id: foreign });
  });

  it('is not of another region', async () => {
    const project = newProject();
    const id = await image(project, { region: 'elsewhere' });
    await expect(read(project, id)).rejects.toEqual(refusal(/Can not find/));
  });

  it.each([
    ['deleted', /Can not find/],
    ['queued', /is not active/],
    ['saving', /is not active/],
    ['deactivated', /is not active/],
  ] as const)('is refused while %s', async (status, message) => {
    const project = newProject();
    await expect(read(project, await image(project, { status }))).rejects.toEqual(refusal(message));
  });

  it.each([
    ['a format that no runner boots', { diskFormat: 'vmdk' }],
    ['a container whose content nobody looked into', { containerFormat: 'ova' }],
    ['a command line longer than a kernel takes', { properties: { os_command_line: 'x'.repeat(2049) } }],
  ])('is refused with %s', async (_what, of) => {
    const project = newProject();
    await expect(read(project, await image(project, of))).rejects.toEqual(refusal(/Image /));
  });
});
