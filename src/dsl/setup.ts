/** What setup scripts import: `import { IMAGE, MACHINE, … } from "nspawn/setup"`. Keywords only record; the work comes after. */
import type { SettingName } from "../settings/catalog.js";
import type { Settings } from "../settings/value.js";
import type { CopyArgument } from "./build.js";
import type { Keyword } from "./call.js";
import { record } from "./record.js";

export type { BindSpec, Settings } from "../settings/value.js";
export type { CopyArgument } from "./build.js";

const say = (keyword: Keyword, args: readonly unknown[]): void => record("setup", keyword, args);

/** Settings that images suggest and that open the host to the machine count only where they are granted here. */
export type ImageOptions = { readonly grant?: readonly SettingName[] };

/** The image that the machine runs. Exactly one. */
export function IMAGE(image: string | ({ readonly url: string } & ImageOptions), options?: ImageOptions): void;
export function IMAGE(...args: readonly unknown[]): void {
  say("IMAGE", args);
}

/** What MACHINE takes. The lines of `unitConf`, `serviceConf` and `installConf` go into the unit's sections as they are. */
export type Machine = {
  /** Name of the machine and of its unit: letters, digits, `-` and `.`, at most 64 characters. */
  readonly name: string;
  /** A unit template of your own, a path below the script's folder. */
  readonly template?: string;
  readonly unitConf?: readonly string[];
  readonly serviceConf?: readonly string[];
  readonly installConf?: readonly string[];
  /** `volatile` (default): what the machine writes is gone when it stops. `keep`: it stays until the next update. */
  readonly state?: "volatile" | "keep";
};

/** The machine: one systemd unit. Exactly one. */
export function MACHINE(machine: string | Machine): void;
export function MACHINE(...args: readonly unknown[]): void {
  say("MACHINE", args);
}

/** The command that the machine runs, instead of the image's own. */
export function EXEC(command: readonly string[] | { readonly command: readonly string[] }): void;
export function EXEC(...args: readonly unknown[]): void {
  say("EXEC", args);
}

/** Settings of systemd.nspawn(5); they win over those of the image, and `null` takes one away. */
export function WITH(settings: Settings): void;
export function WITH(...args: readonly unknown[]): void {
  say("WITH", args);
}

/** Copies a file or a folder from the script's folder onto the host. */
export function COPY(what: CopyArgument): void;
export function COPY(...args: readonly unknown[]): void {
  say("COPY", args);
}

/** Copies onto the host as COPY does, through the Jinja template language. */
export function CAST(what: CopyArgument, variables?: Readonly<Record<string, unknown>>): void;
export function CAST(...args: readonly unknown[]): void {
  say("CAST", args);
}

/** Runs a program on the host: program and arguments, as they are, without a shell. */
export function RUN(command: readonly string[] | { readonly command: readonly string[] }): void;
export function RUN(...args: readonly unknown[]): void {
  say("RUN", args);
}

/** Runs a shell script on the host, by `sh -e -c`. */
export function SH(script: string | { readonly script: string }): void;
export function SH(...args: readonly unknown[]): void {
  say("SH", args);
}
