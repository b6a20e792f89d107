/** Shows each step of a long work on a line: what, and how long it took. */
export class Steps {
  #beganMs = performance.now();
  #open = false;

  begin(what: string): void {
    this.#beganMs = performance.now();
    this.#open = true;
    process.stdout.write(`${what} ... `);
  }

  end(more = ''): void {
    this.#open = false;
    process.stdout.write(`${((performance.now() - this.#beganMs) / 1000).toFixed(1)} s${more ? `, ${more}` : ''}\n`);
  }

  /** A line between steps, or the break of an open one. */
  say(line: string): void {
    process.stdout.write(`${this.#open ? '\n' : ''}${line}\n`);
    this.#open = false;
  }
}
