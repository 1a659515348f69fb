/** Keeps the last lines of an output, for the message of a failure. */
export class LastLines {
  readonly #limit: number;
  readonly #lines: string[] = [];

  constructor(limit: number) {
    this.#limit = limit;
  }

  add(line: string): void {
    this.#lines.push(line);
    if (this.#lines.length > this.#limit) this.#lines.shift();
  }

  text(): string {
    return this.#lines.join("\n");
  }
}
