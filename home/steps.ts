/** Shows each step of a long work on a line: what, and how long it took. */
export class Steps {
  readonly #write: (text: string) => void;
  #beganMs = performance.now();
  #open = false;

  constructor(write: (text: string) => void = (text) => process.stdout.write(text)) {
    this.#write = write;
  }

  begin(what: string): void {
    this.#beganMs = performance.now();
    this.#open = true;
    this.#write(`${what} ... `);
  }

  end(more = ''): void {
    this.#open = false;
    this.#write(`${((performance.now() - this.#beganMs) / 1000).toFixed(1)} s${more ? `, ${more}` : ''}\n`);
  }

  /** A line between steps, or the break of an open one. */
  say(line: string): void {
    this.#write(`${this.#open ? '\n' : ''}${line}\n`);
    this.#open = false;
  }
}
