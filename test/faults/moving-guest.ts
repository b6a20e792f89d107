import { expect } from 'vitest';
import { until } from '../../home/until.ts';
import { COUNT, countingErrors, numbersIn } from '../machine/counting-guest.ts';
import { createServer, serverReaches, settled } from './fault-cloud.ts';
import { databaseLeaks } from './leaks.ts';
import { Console, copiesOf, type MoveCloud, memorySent, type Place, slowly } from './move-cloud.ts';
import { inGuest } from './qemu-cloud.ts';

const TIMEOUT_MS = 60_000;
const CONSOLE_TAIL_CHARACTERS = 2_000;

/** A guest that counts on its console, wherever it is. */
export class MovingGuest {
  readonly cloud: MoveCloud;
  readonly id: string;
  /** Where it is, and where it goes. */
  here: Place;
  there: Place;
  /** Its console here. */
  now: Console;
  /** What it wrote elsewhere before. */
  readonly #written: string[] = [];

  private constructor(cloud: MoveCloud, id: string) {
    this.cloud = cloud;
    this.id = id;
    [this.here, this.there] = [cloud.a, cloud.b];
    this.now = new Console(this.here, id);
  }

  /** One on the first of two machines. */
  static async on(cloud: MoveCloud): Promise<MovingGuest> {
    const setRunner = (state: string) =>
      cloud.admin.call('aerostat', 'PATCH', `/runners/${cloud.b.name}`, { runner: { state } });
    await setRunner('disabled');
    const id = await createServer(cloud, 'counting');
    await serverReaches(cloud.admin, id, 'ACTIVE', TIMEOUT_MS);
    await setRunner('enabled');
    await inGuest(cloud.a.runner, id, COUNT);
    return new MovingGuest(cloud, id);
  }

  /** All that it counted. */
  numbers(): number[] {
    return numbersIn([...this.#written, this.now.read()]);
  }

  /** It is the other machine's, with a console that was opened there. */
  changeHands(console: Console): void {
    this.#written.push(this.now.read());
    this.now.close();
    this.now = console;
    [this.here, this.there] = [this.there, this.here];
  }

  /** Begins a move at a speed, and waits until so many bytes of memory are on their way. */
  async inTheMiddle(move: () => Promise<unknown>, slow_bytes_s: number, sent_bytes: number): Promise<void> {
    await slowly(this.here, this.id, slow_bytes_s);
    await move();
    const sent = async () => ((await memorySent(this.here, this.id)) ?? 0) > sent_bytes;
    await until('memory on its way', TIMEOUT_MS, sent);
  }

  /** It goes on counting, from where it was, in one copy. */
  async countsOn(context: string): Promise<void> {
    const before = this.numbers().length;
    const counts = async () => this.numbers().length > before + 5;
    await until(`${context}: the guest counting on`, TIMEOUT_MS, counts).catch((error: unknown) => {
      throw new Error(
        `${(error as Error).message}\nits console ends: ${this.now.read().slice(-CONSOLE_TAIL_CHARACTERS)}`,
        {
          cause: error,
        },
      );
    });
    expect(countingErrors(this.numbers()), context).toEqual([]);
    await settled(this.cloud, TIMEOUT_MS);
    expect(await copiesOf(this.cloud, this.id), context).toEqual({ [this.here.name]: 'running' });
    expect(await databaseLeaks(this.cloud), context).toEqual({});
  }
}
