/** What build scripts import: `import { IMAGE, PULL, … } from "nspawn/build"`. Keywords only record; the work comes after. */
import type { Settings } from "../settings/value.js";
import type { Keyword } from "./call.js";
import { record } from "./record.js";

export type { BindSpec, Settings } from "../settings/value.js";

const say = (keyword: Keyword, args: readonly unknown[]): void => record("build", keyword, args);

/** The image that this script builds: the URL it is published to (`file:`, `http:`, `https:`; `.tar.gz`, `.tar.xz`, `.tar.zst`). Exactly one. */
export function IMAGE(image: string | { readonly url: string }): void;
export function IMAGE(...args: readonly unknown[]): void {
  say("IMAGE", args);
}

/**
 * A parent image. Several are allowed: a later one lies on top of an earlier one, and ancestors that they share are
 * there once. `digest` is the archive's SHA-256, as `sha256:` and 64 hexadecimal digits; any other content is refused.
 */
export function PULL(image: string | { readonly url: string; readonly digest?: string }): void;
export function PULL(...args: readonly unknown[]): void {
  say("PULL", args);
}

/** What BOOTSTRAP takes. `packages` come on top of the distribution's minimum; `mirror` is a URL, by default the distribution's own. */
export type Bootstrap = {
  readonly distribution: "debian" | "ubuntu";
  readonly release: string;
  readonly packages?: readonly string[];
  readonly mirror?: string;
  /** Parts of the archive, such as `main`; by default main, for Ubuntu main and universe. */
  readonly components?: readonly string[];
  /** How much is in it besides `packages`; by default minbase: the essential packages and apt. See mmdebstrap(1). */
  readonly variant?: "apt" | "essential" | "minbase" | "important" | "standard";
};

/** A bottom layer made from a distribution's own packages by mmdebstrap(1), where there is no base image to PULL. The result is cached. */
export function BOOTSTRAP(bootstrap: Bootstrap): void;
export function BOOTSTRAP(...args: readonly unknown[]): void {
  say("BOOTSTRAP", args);
}

/** The command that machines of this image run: program and arguments, as they are, without a shell. */
export function EXEC(command: readonly string[] | { readonly command: readonly string[] }): void;
export function EXEC(...args: readonly unknown[]): void {
  say("EXEC", args);
}

/** Settings of systemd.nspawn(5) that machines of this image get. Environment and WorkingDirectory also hold for RUN and SH. */
export function WITH(settings: Settings): void;
export function WITH(...args: readonly unknown[]): void {
  say("WITH", args);
}

/** What FETCH takes: `source` is a path in the archive (`/` is all of it), `target` an absolute path in the image; `path` is both. */
export type FetchArgument = { readonly url: string; readonly digest?: string } & (
  | { readonly path: string }
  | { readonly source: string; readonly target: string }
);

/**
 * Downloads an archive (`.tar`, `.tar.gz`, `.tar.xz`, `.tar.zst`, `.zip`), takes a file or a folder out of it, and copies that into the
 * image as COPY does. With `digest` (`sha256:` and 64 hexadecimal digits) any other content is refused.
 */
export function FETCH(what: FetchArgument): void;
export function FETCH(...args: readonly unknown[]): void {
  say("FETCH", args);
}

/** What COPY and CAST take: `source` lies below the script's folder, `target` is an absolute path in the image. */
export type CopyArgument = string | { readonly path: string } | { readonly source: string; readonly target: string };

/** Copies a file or a folder from the script's folder into the image; owned by root, mode, times, ACLs and extended attributes kept. */
export function COPY(what: CopyArgument): void;
export function COPY(...args: readonly unknown[]): void {
  say("COPY", args);
}

/** Copies as COPY does, through the Jinja template language: `variables`, and `source` and `target`, can be used in the files. */
export function CAST(what: CopyArgument, variables?: Readonly<Record<string, unknown>>): void;
export function CAST(...args: readonly unknown[]): void {
  say("CAST", args);
}

/** Runs a program in the image: program and arguments, as they are, without a shell. */
export function RUN(command: readonly string[] | { readonly command: readonly string[] }): void;
export function RUN(...args: readonly unknown[]): void {
  say("RUN", args);
}

/** Runs a shell script in the image, by `sh -e -c`. */
export function SH(script: string | { readonly script: string }): void;
export function SH(...args: readonly unknown[]): void {
  say("SH", args);
}

/** Publishes the image to its URL. */
export function PUSH(): void;
export function PUSH(...args: readonly unknown[]): void {
  say("PUSH", args);
}
