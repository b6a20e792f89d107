import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';

const COMMANDS = ['ip', 'bridge', 'nft', 'dnsmasq', 'conntrack'];

/** What happens at a command instead of what it should do: its caller dies, or it fails. */
export type CommandFault = 'killed' | 'refused';

const BEFORE: Record<CommandFault, string> = { killed: 'kill -9 $PPID; exit 137', refused: 'echo refused >&2; exit 1' };

/** Stands before the commands of machines that are opened from now on, and makes one of them fail when told so. */
export class FaultyCommands {
  readonly #folder: string;
  readonly #path = process.env.PATH;

  constructor(folder: string) {
    this.#folder = join(folder, 'bin');
    mkdirSync(this.#folder);
    for (const name of COMMANDS) {
      const whole = execFileSync('sh', ['-c', `command -v ${name}`], { encoding: 'utf8' }).trim();
      const script = `#!/bin/sh
        left=$(($(cat '${this.#folder}/left' 2>/dev/null || echo 0) - 1)); echo $left > '${this.#folder}/left'
        [ $left = 0 ] && . '${this.#folder}/fault'
        exec ${whole} "$@"\n`;
      writeFileSync(join(this.#folder, name), script);
      chmodSync(join(this.#folder, name), 0o755);
    }
    process.env.PATH = `${this.#folder}${delimiter}${this.#path}`;
  }

  /** The command that comes after so many others fails. */
  failAt(count: number, fault: CommandFault): void {
    writeFileSync(join(this.#folder, 'fault'), `${BEFORE[fault]}\n`);
    writeFileSync(join(this.#folder, 'left'), `${count}\n`);
  }

  /** Whether it came to that command. */
  wasMade(): boolean {
    return Number(readFileSync(join(this.#folder, 'left'), 'utf8')) <= 0;
  }

  /** All do what they should. */
  mend(): void {
    writeFileSync(join(this.#folder, 'left'), '0\n');
  }

  close(): void {
    process.env.PATH = this.#path;
  }
}
