import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { teardown } from '../runner/teardown.ts';
import { Refusal } from '../shared/refusal.ts';
import { markOf, statePaths } from './paths.ts';
import { forgetRunning, readRunning } from './running.ts';
import { Steps } from './steps.ts';
import { until } from './until.ts';

const STOP_TIMEOUT_MS = 30_000;

/** `npm run stop`: ends what runs from a state folder and removes all that its runner made on the machine. */
export async function stop(args: string[]): Promise<number> {
  const { values } = parseArgs({
    args,
    options: { state: { type: 'string', default: '.aerostat' }, help: { type: 'boolean', default: false } },
  });
  if (values.help) {
    console.log(
      'npm run stop [-- --state DIR]: ends the cloud of a state folder, its guests too, and leaves the machine as found. Data stays.',
    );
    return 0;
  }
  if (process.getuid?.() !== 0) throw new Refusal('taking down guests and bridges needs root. Try: sudo npm run stop');
  const paths = statePaths(resolve(values.state));
  const steps = new Steps();
  const running = await readRunning(paths.running);
  if (running?.alive) {
    steps.begin('Stopping the control plane and the runner');
    process.kill(running.record.pid, 'SIGTERM');
    await until(
      'the end of the running cloud',
      STOP_TIMEOUT_MS,
      async () => (await readRunning(paths.running))?.alive !== true,
    );
    steps.end();
  }
  steps.begin('Taking down guests, bridges and rules');
  await teardown({ stateDir: join(paths.runner), mark: running?.record.mark ?? markOf(paths.stateDir) });
  steps.end();
  forgetRunning(paths.running);
  steps.say(`Data is kept in ${paths.stateDir}; remove the folder to forget it.`);
  return 0;
}
