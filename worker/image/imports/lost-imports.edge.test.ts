import { describe, expect, it } from 'vitest';
import { expectFailed, importStage } from '../../../test/edge-imports.ts';
import { IMPORT_ATTEMPTS_MAX, IMPORT_START_MS, UPLOAD_LEASE_MS } from '../limits.ts';
import { sweepLooseBlobs } from '../loose-blobs.ts';
import { recoverImports } from './recover-imports.ts';

describe('an import that is lost', () => {
  it('before it began is begun by the region’s alarm', async () => {
    const one = importStage();
    await one.ordered();
    await recoverImports(one.ctx);
    expect(one.started).toHaveLength(1);
    one.clock.ms += IMPORT_START_MS + 1;
    await recoverImports(one.ctx);
    expect(one.started).toEqual([one.started[0], one.started[0]]);
  });

  it('with its worker begins again, so often, and then fails', async () => {
    const one = importStage();
    const id = await one.ordered();
    const hanging = { ...one.ctx, download: () => new Promise<Response>(() => {}) };
    for (let attempt = 1; attempt <= IMPORT_ATTEMPTS_MAX; attempt += 1) {
      void one.run(hanging);
      while ((await one.taskOf(id))?.attempts !== attempt) await scheduler.wait(5);
      one.clock.ms += IMPORT_START_MS + 1;
      await recoverImports(one.ctx);
      expect(one.started).toHaveLength(attempt);
      await one.run();
      expect(await one.taskOf(id)).toMatchObject({ status: 'processing', attempts: attempt });
      one.clock.ms += UPLOAD_LEASE_MS + 1;
      await sweepLooseBlobs(one.ctx);
      expect(await one.rowOf(id)).toMatchObject({ status: 'importing' });
      await recoverImports(one.ctx);
      expect(one.started).toHaveLength(attempt + 1);
    }
    await one.run();
    await expectFailed(one, id, /cut short 3 times/);
    one.clock.ms += IMPORT_START_MS + 1;
    await recoverImports(one.ctx);
    expect(one.started).toHaveLength(IMPORT_ATTEMPTS_MAX + 1);
  });

  it('and comes back after another attempt took over changes nothing', async () => {
    const one = importStage();
    const id = await one.ordered();
    const pipe = new IdentityTransformStream();
    const writer = pipe.writable.getWriter();
    one.answers.next = () => new Response(pipe.readable);
    const older = one.run();
    await writer.write(new Uint8Array(10));
    one.clock.ms += UPLOAD_LEASE_MS + 1;
    one.answers.next = () => new Response('newer');
    await one.run();
    await writer.abort(new Error('cut'));
    await older;
    expect(await one.rowOf(id)).toMatchObject({ status: 'active', sizeBytes: 5 });
    expect(await one.taskOf(id)).toMatchObject({ status: 'success', attempts: 2 });
  });
});
