import { readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { BuildOptions, Ended, Lab } from "./build.js";

/** A script that a test changes, with files beside it for COPY and CAST. */
export class Project {
  readonly folder: string;
  readonly path: string;
  readonly image: string;
  /** URL of the image that it begins with. */
  readonly base: string;
  readonly #lab: Lab;

  /** @param name of the image that it makes */
  constructor(lab: Lab, name: string, base = lab.busybox) {
    this.#lab = lab;
    this.base = base;
    this.image = `${name}.tar`;
    this.path = lab.script("", {
      "data/a.txt": "a",
      "data/sub/b.txt": "b",
      "data/sub/c.txt": "c",
      "t/page.txt": "{{ word }} {% include '/part.txt' %}",
      "part.txt": "part",
    });
    this.folder = dirname(this.path);
    symlinkSync("a.txt", join(this.folder, "data/link"));
  }

  write(lines: readonly string[], name = this.image): void {
    const head = 'import { CAST, COPY, IMAGE, PULL, PUSH, RUN, SH, WITH } from "nspawn/build";';
    const all = [head, `IMAGE(${JSON.stringify(this.#lab.url(`${name}.zst`))}); PULL(${JSON.stringify(this.base)});`, ...lines, "PUSH();"];
    writeFileSync(this.path, `${all.join("\n")}\n`);
  }

  build(options: readonly string[] = [], more: BuildOptions = {}): Promise<Ended> {
    return this.#lab.build(this.path, { options: ["--json", ...options], ...more });
  }

  run(options: readonly string[] = [], more: BuildOptions = {}): Promise<Ended> {
    return this.#lab.run(this.path, { options: ["--json", ...options], ...more });
  }

  archive(name = this.image): Buffer {
    return readFileSync(this.#lab.archive(`${name}.zst`));
  }
}

type Step = { readonly event: string; readonly step: string; readonly cached: boolean; readonly why?: string };

/** What a command with `--json` has told, line by line. */
function eventsOf({ stdout }: Ended): readonly Readonly<Record<string, unknown>>[] {
  return stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

/** For each step `cached`, or why it was not. */
export function steps(ended: Ended): readonly string[] {
  const found = eventsOf(ended).filter(({ event }) => event === "step-end") as unknown as readonly Step[];
  return found.map(({ cached, why }) => (cached ? "cached" : (why ?? "")));
}

/** Whether the image was published; undefined where no PUSH was done. */
export function isPushed(ended: Ended): boolean | undefined {
  const push = eventsOf(ended).find(({ event }) => event === "pushed");
  return push && push.unchanged === false;
}

/** The error that a command with `--json` has ended with, as it is without. */
export function errorOf(ended: Ended): string {
  const { message = "", hint = "", output = "" } = eventsOf(ended).find(({ event }) => event === "error") ?? {};
  return `error: ${String(message)}\n${String(output)}\n  hint: ${String(hint)}\n`;
}
