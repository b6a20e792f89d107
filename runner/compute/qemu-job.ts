import { DriverError } from '../driver.ts';
import { QmpError } from '../host/qmp.ts';
import { until } from '../host/wait.ts';
import { errorText } from '../log.ts';
import type { LiveGuest } from './live-guest.ts';

const POLL_MS = 100;
/** For one that is told to end. */
const CANCEL_WAIT_MS = 60_000;

interface Job {
  id: string;
  status: string;
  error?: string;
}

/**
 * Has QEMU do something that takes its time, and waits for it. One of this name that an earlier process of the runner began
 * is ended first.
 * @throws DriverError it failed, or was not done in time, or the signal fired: it is over in any case
 */
export async function runJob(
  live: LiveGuest,
  command: string,
  args: Record<string, unknown>,
  options: { timeout_ms: number; signal?: AbortSignal },
): Promise<void> {
  const id = command;
  try {
    await endJob(live, id);
    await live.execute(command, { 'job-id': id, ...args });
    const ended = await until(() => concluded(live, id), { ...options, every_ms: POLL_MS });
    if (!ended) {
      await endJob(live, id);
      throw new DriverError(`${command} was ${options.signal?.aborted ? 'called off' : 'not done in time'}`);
    }
    await live.execute('job-dismiss', { id });
    if (ended.error) throw new DriverError(`${command} failed: ${ended.error}`);
  } catch (error) {
    if (error instanceof QmpError) throw new DriverError(errorText(error), { cause: error });
    throw error;
  }
}

const find = async (live: LiveGuest, id: string) =>
  (await live.execute<Job[]>('query-jobs')).find((one) => one.id === id);
const concluded = async (live: LiveGuest, id: string) => {
  const job = await find(live, id);
  return job?.status === 'concluded' && job;
};

async function endJob(live: LiveGuest, id: string): Promise<void> {
  const job = await find(live, id);
  if (!job) return;
  if (job.status !== 'concluded') await live.execute('job-cancel', { id });
  await until(() => concluded(live, id), { timeout_ms: CANCEL_WAIT_MS, every_ms: POLL_MS });
  await live.execute('job-dismiss', { id });
}
