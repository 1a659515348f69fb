import { createRequire } from "node:module";

/** Modules of Node that are loaded when they are needed. */
type Builtins = {
  readonly "node:child_process": typeof import("node:child_process");
  readonly "node:crypto": typeof import("node:crypto");
  readonly "node:net": typeof import("node:net");
  readonly "node:tty": typeof import("node:tty");
  readonly "node:v8": typeof import("node:v8");
};

const require = createRequire(import.meta.url);

/** A module of Node, loaded at the first call: node:crypto takes 8 ms, and commands that only look may need none of it. */
export function builtin<Name extends keyof Builtins>(name: Name): Builtins[Name] {
  return require(name);
}
