import { realpathSync } from 'node:fs';
import { systemClock } from '../shared/clock.ts';
import { Refusal } from '../shared/refusal.ts';
import { install } from './cli/install.ts';
import { join } from './cli/join.ts';
import { type CliOptions, HELP, parseOptions, runArgumentsOf } from './cli/options.ts';
import { runnerFolders, serve } from './cli/serve.ts';
import { status } from './cli/status.ts';
import { jsonLog } from './log.ts';
import { readIdentity } from './state/identity.ts';
import { lockStateFolder } from './state/lock.ts';
import { openStateFolder, statePaths } from './state/state-folder.ts';
import { teardown } from './teardown.ts';

const COMMANDS = ['join', 'run', 'install', 'status', 'teardown'];

/** The runner's command line. @returns the exit code; what a person can put right is one line on stderr, and 1 */
export async function runner(args: string[]): Promise<number> {
  try {
    const [command = '--help', ...rest] = args;
    if (!COMMANDS.includes(command)) {
      console.log(HELP);
      return command === '--help' || command === '-h' || command === 'help' ? 0 : 2;
    }
    const options = parseOptions(rest);
    if (options.help) {
      console.log(HELP);
      return 0;
    }
    return await obey(command, options);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    console.error(`aerostat runner: ${error.message}`);
    return 1;
  }
}

async function obey(command: string, options: CliOptions): Promise<number> {
  if (command === 'status') return status(options.stateDir, console.log);
  assertRoot(command, options);
  const stateDir = openStateFolder(options.stateDir);
  if (command === 'install') {
    if (runnerFolders(stateDir).length === 0) throw new Refusal(`No runner has joined from ${stateDir}: join first.`);
    return (await install(runArgumentsOf(options), options.unitDir, console.log)) ? 0 : 1;
  }
  const log = jsonLog(systemClock, options.logLevel);
  const unlock = lockStateFolder(statePaths(stateDir).lock);
  try {
    if (command === 'teardown') return await takeDown(stateDir);
    if (command === 'join') await join(options, stateDir, log);
    if (!options.install) return await serve(options, stateDir, log);
  } finally {
    unlock();
  }
  return (await install(runArgumentsOf(options), options.unitDir, console.log)) ? 0 : 1;
}

/** Ends the guests of the runner and removes all it made on the machine; disks stay, and the next `run` starts the guests again. */
async function takeDown(stateDir: string): Promise<number> {
  for (const folder of runnerFolders(stateDir)) {
    const identity = readIdentity(folder);
    if (identity?.hypervisor === 'qemu') await teardown({ stateDir: folder, mark: identity.mark });
  }
  return 0;
}

/** Guests, bridges and packet filters are root's business; a simulation needs none of it. */
function assertRoot(command: string, { hypervisor, stateDir }: CliOptions): void {
  if (process.getuid?.() === 0) return;
  const which = command === 'join' ? hypervisor : joinedHypervisor(stateDir);
  if (which !== 'simulated')
    throw new Refusal('A runner needs root, for guests and networks. Try sudo, or join with --hypervisor simulated.');
}

function joinedHypervisor(stateDir: string): string {
  const [folder] = runnerFolders(stateDir);
  return (folder === undefined ? null : readIdentity(folder)?.hypervisor) ?? 'qemu';
}

if (process.argv[1] !== undefined && realpathSync(process.argv[1]) === import.meta.filename) {
  process.exit(await runner(process.argv.slice(2)));
}
