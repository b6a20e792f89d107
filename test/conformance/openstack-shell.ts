import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { type Cloud, REGION } from '../cloud.ts';

const DRIVER = join(import.meta.dirname, 'openstack_shell.py');

interface End {
  code: number;
  out: string;
  err: string;
}

/** The real `openstack` client as one user, kept running: a command takes a tenth of what starting it takes. */
export class OpenstackShell {
  readonly #child;
  readonly #lines: AsyncIterator<string>;

  /**
   * @param computeVersion - Nova's microversion; the client takes it once, at its start
   * @param ratingVersion - of CloudKitty's API, likewise
   */
  constructor(
    cloud: Cloud,
    who: { user: string; password: string; project: string },
    computeVersion?: string,
    ratingVersion?: string,
  ) {
    this.#child = spawn('/usr/bin/python3', [DRIVER], {
      stdio: ['pipe', 'pipe', 'inherit'],
      env: {
        PATH: '/usr/bin:/bin',
        HOME: cloud.paths.stateDir,
        PYTHONDONTWRITEBYTECODE: '1',
        OS_AUTH_URL: `${cloud.url}/identity/v3`,
        OS_IDENTITY_API_VERSION: '3',
        OS_USERNAME: who.user,
        OS_PASSWORD: who.password,
        OS_PROJECT_NAME: who.project,
        OS_USER_DOMAIN_NAME: 'Default',
        OS_PROJECT_DOMAIN_NAME: 'Default',
        OS_REGION_NAME: REGION,
        ...(computeVersion ? { OS_COMPUTE_API_VERSION: computeVersion } : {}),
        ...(ratingVersion ? { OS_RATING_API_VERSION: ratingVersion } : {}),
      },
    });
    this.#lines = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
  }

  /** Runs one command; its words are split at spaces, an array's are taken as they are. @throws Error with its words when it fails */
  async text(...words: (string | readonly string[])[]): Promise<string> {
    const { code, out, err } = await this.#run(words);
    if (code !== 0) throw new Error(`openstack ${words.flat().join(' ')}: exit ${code}: ${err}${out}`);
    return out.trim();
  }

  /** Runs a command with `-f json`. */
  async json<T = Record<string, unknown>>(...words: (string | readonly string[])[]): Promise<T> {
    return JSON.parse(await this.text(...words, '-f json')) as T;
  }

  /** Runs a command that must fail. @returns what it said */
  async refusal(...words: (string | readonly string[])[]): Promise<string> {
    const { code, out, err } = await this.#run(words);
    if (code === 0) throw new Error(`openstack ${words.flat().join(' ')} was not refused: ${out}`);
    return err + out;
  }

  close(): void {
    this.#child.stdin.end();
  }

  async #run(words: (string | readonly string[])[]): Promise<End> {
    const argv = words.flatMap((word) => (typeof word === 'string' ? word.split(' ') : word));
    this.#child.stdin.write(`${JSON.stringify(argv)}\n`);
    const { value, done } = await this.#lines.next();
    if (done) throw new Error(`openstack ${argv.join(' ')}: the client ended`);
    return JSON.parse(value as string) as End;
  }
}
