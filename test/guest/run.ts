import { execFile } from 'node:child_process';

const OUTPUT_BYTES_MAX = 64 * 1024 * 1024;

export interface RunOptions {
  timeout_ms: number;
  cwd?: string;
  input?: string;
}

/**
 * Runs one command, given as an argument array, and answers its standard output.
 * Throws with the command and its standard error when it fails or outlives its time.
 */
export function run(command: string, args: string[], options: RunOptions): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const child = execFile(
      command,
      args,
      {
        encoding: 'buffer',
        maxBuffer: OUTPUT_BYTES_MAX,
        timeout: options.timeout_ms,
        killSignal: 'SIGKILL',
        // Tools that make file systems live in sbin, which is not on everyone's path.
        env: { ...process.env, PATH: `${process.env.PATH ?? ''}:/usr/sbin:/sbin`, LC_ALL: 'C' },
        ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
      },
      (error, stdout, stderr) => {
        if (!error) return resolve(stdout);
        const why = error.killed ? `killed after ${options.timeout_ms} ms` : stderr.toString().trim() || error.message;
        reject(new Error(`${command} ${args.join(' ')}: ${why}`, { cause: error }));
      },
    );
    // A command that ends before it has read everything is judged by its exit code.
    child.stdin?.on('error', () => {});
    child.stdin?.end(options.input ?? '');
  });
}
