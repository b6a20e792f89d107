import { createReadStream } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { type Driver, DriverError } from '../../runner/driver.ts';
import { jsonLog } from '../../runner/log.ts';
import { openMachine } from '../../runner/machine.ts';
import { teardown } from '../../runner/teardown.ts';
import { systemClock } from '../../shared/clock.ts';
import type { Kind } from '../../shared/specs/kinds.ts';
import type { Call, ServeOptions } from './machine-in-namespace.ts';

/* A runner's machine without a runner: serves its drivers over standard input and output, a line of JSON a call. */

const options = JSON.parse(process.argv[2] ?? '{}') as ServeOptions;
const say = (message: Record<string, unknown>) => process.stdout.write(`${JSON.stringify(message)}\n`);
const log = jsonLog(systemClock, 'info', (line) => process.stderr.write(`${line}\n`));

if (options.teardown) {
  await teardown(options);
  process.exit(0);
}

/** Downloads to come break after so many bytes, or are given wrong bytes. */
let faults: { breakAfterBytes?: number; corrupt?: boolean }[] = [];
let downloads = 0;
/** Uploads to come are refused for good, with a code, or break. */
let uploadFaults: { code?: number }[] = [];

async function* imageBytes(path: string, fromByte: number): AsyncGenerator<Uint8Array> {
  downloads++;
  const fault = faults.shift() ?? {};
  let sent = 0;
  for await (const chunk of Readable.from(createReadStream(path, { start: fromByte }))) {
    const bytes = Buffer.from(chunk as Buffer);
    if (fault.corrupt) bytes[0] = (bytes[0] ?? 0) ^ 0xff;
    yield bytes;
    sent += bytes.length;
    if (fault.breakAfterBytes !== undefined && sent >= fault.breakAfterBytes) throw new Error('the line was cut');
  }
}

const machine = await openMachine({
  ...options,
  log,
  fetchImage: async (id, fromByte) => {
    const path = options.images[id];
    if (path === undefined) throw new DriverError(`no image ${id}`);
    return { body: imageBytes(path, fromByte) };
  },
  openRelay: async () => {
    throw new Error('there is no edge');
  },
  uploadImage: async (id, data) => {
    const fault = uploadFaults.shift();
    if (fault) throw fault.code === undefined ? new Error('the line was cut') : new DriverError('refused', fault);
    await writeFile(join(options.stateDir, `uploaded-${id}`), data.stream());
  },
});
machine.onChange((kind, id) => say({ changed: { kind, id } }));

const collectors = machine.collectors('runner');
const signal = new AbortController().signal;
const hooks = { signal, connected: () => true, progress: () => {} };
const driverOf = (kind: Kind) => machine.drivers[kind] as Driver<Kind>;
const calls: Record<Call['method'], (call: Call) => Promise<unknown>> = {
  apply: ({ kind, id, generation = 1, spec }) =>
    driverOf(kind).apply({ kind, id, generation, spec: spec as never }, signal),
  remove: ({ kind, id, spec }) => driverOf(kind).remove(id, (spec ?? null) as never),
  observe: ({ kind, id }) => driverOf(kind).observe(id),
  list: ({ kind }) => driverOf(kind).list(),
  run: ({ operation, id, epoch = 1, args = {} }) =>
    machine.operator.run({ kind: operation ?? '', targetId: id, targetEpoch: epoch, args }, hooks),
  query: ({ operation, id, args = {} }) => machine.operator.query({ kind: operation ?? '', targetId: id, args }),
  capacity: () => machine.capacity(),
  // What all collectors read, and that it is kept.
  collect: async () => (await Promise.all(collectors.map((one) => one.collect()))).flat(),
  kept: async () => {
    for (const one of collectors) await one.kept?.();
  },
  faults: async ({ args }) => {
    faults = (args?.faults ?? []) as typeof faults;
    uploadFaults = (args?.uploadFaults ?? []) as typeof uploadFaults;
    return downloads;
  },
  close: async () => {
    await machine.close();
    setImmediate(() => process.exit(0));
  },
};

createInterface({ input: process.stdin }).on('line', (line) => {
  const call = JSON.parse(line) as Call & { call: number };
  calls[call.method](call).then(
    (value) => say({ call: call.call, value: value ?? null }),
    (error: unknown) =>
      say({
        call: call.call,
        error: error instanceof DriverError ? error.fault : { code: 0, message: String((error as Error).stack) },
      }),
  );
});
say({ ready: machine.capabilities });
