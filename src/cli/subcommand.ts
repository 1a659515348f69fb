import type { Command } from "commander";
import type { EngineContext } from "../engine/context.js";
import type { Argv } from "../host/host.js";
import type { CommonOptions } from "./common-options.js";
import type { Paint } from "./style.js";

/**
 * An answer, ready to be shown: to people, in lines that fit a terminal if there is one, or with `--json` as one value. `exitCode`: of an
 * answer that is not a good one.
 */
export type Shown = {
  readonly lines: (paint: Paint, columns: number | undefined) => readonly string[];
  readonly data: unknown;
  readonly exitCode?: 1 | undefined;
};

/**
 * What a subcommand does: it looks, which needs no rights and changes nothing; or it works, as root, and tells what happens; or it leaves
 * the terminal to another program, whose exit code is its own.
 */
export type Deed =
  | { readonly kind: "look"; readonly look: (context: EngineContext) => Promise<Shown> }
  | { readonly kind: "work"; readonly work: (context: EngineContext) => Promise<void> }
  | { readonly kind: "program"; readonly command: () => Promise<Argv> };

/** A command below `nspawn`. Modules of the engine are loaded by `deed`, so that help comes at once. */
export type Subcommand<O extends CommonOptions = CommonOptions> = {
  readonly name: string;
  /** As commander has it: `<url...>`. */
  readonly arguments?: string;
  /** A few words for lists. */
  readonly summary: string;
  /** Full sentences, and what follows the options: examples. */
  readonly description: string;
  readonly examples: string;
  readonly describe?: (command: Command) => Command;
  deed(args: readonly string[], options: O): Promise<Deed>;
};
