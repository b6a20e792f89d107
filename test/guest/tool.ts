import { run } from '../../runner/host/run.ts';

const TOOL_TIMEOUT_MS = 60_000;

/** Runs one step of the build; answers its standard output. */
export async function tool(
  command: string,
  args: string[],
  options: { timeout_ms?: number; cwd?: string; input?: string } = {},
): Promise<string> {
  const { stdout } = await run(command, args, {
    timeout_ms: TOOL_TIMEOUT_MS,
    ...options,
    // Tools that make file systems live in sbin, which is not on everyone's path.
    env: { PATH: `${process.env.PATH ?? ''}:/usr/sbin:/sbin`, LC_ALL: 'C' },
  });
  return stdout;
}
