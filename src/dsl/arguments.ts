/** What keywords take. */
import type { SettingName } from "../settings/catalog.js";

/** A parent image. `digest` is the archive's SHA-256, as `sha256:` and 64 hexadecimal digits; any other content is refused. */
export type PullArgument = string | { readonly url: string; readonly digest?: string };

/** What BOOTSTRAP takes. */
export type Bootstrap = {
  readonly distribution: "debian" | "ubuntu";
  /** Name of the release, such as `bookworm`. */
  readonly release: string;
  /** Packages on top of the distribution's minimum. */
  readonly packages?: readonly string[];
  /** URL of the packages' mirror; by default the distribution's own. */
  readonly mirror?: string;
  /** Parts of the archive, such as `main`; by default main, for Ubuntu main and universe. */
  readonly components?: readonly string[];
  /** How much is in it besides `packages`; by default minbase: the essential packages and apt. See mmdebstrap(1). */
  readonly variant?: "apt" | "essential" | "minbase" | "important" | "standard";
};

/** A program and its arguments, as they are, without a shell. */
export type CommandArgument = readonly string[] | { readonly command: readonly string[] };

/** A shell script, of one or more lines. */
export type ScriptArgument = string | { readonly script: string };

/** How a command of a build is cached. `cache: false`: it runs in each build, as where it depends on the time or on a server. */
export type CommandOptions = { readonly cache?: boolean };

/**
 * What COPY and CAST take. `source` lies below the script's folder, whether or not it starts with a slash; `target` is an absolute path,
 * in the image (build) or on the host (setup). A path alone, or `path`, is both.
 */
export type CopyArgument =
  | string
  | { readonly path: string; readonly source?: never; readonly target?: never }
  | { readonly source: string; readonly target: string; readonly path?: never };

/** Values that a template can show: texts, numbers, booleans, null, lists and objects of them. */
export type TemplateVariables = Readonly<Record<string, unknown>>;

/**
 * What FETCH takes. `source` is a path in the archive (`/` is all of it), `target` an absolute path in the image; `path` is both.
 * `digest`: SHA-256 of the archive, as `sha256:` and 64 hexadecimal digits.
 */
export type FetchArgument = { readonly url: string; readonly digest?: string } & (
  | { readonly path: string; readonly source?: never; readonly target?: never }
  | { readonly source: string; readonly target: string; readonly path?: never }
);

/** `grant`: settings that images suggest, that open the host to the machine, and that count only where they are granted here. */
export type ImageOptions = { readonly grant?: readonly SettingName[] };

/**
 * How it is seen that a machine which was started does its work; one of three. It is tried until it succeeds, or until `timeout` seconds
 * are over, 30 by default.
 *
 * - `command`: runs in the machine, and ends with 0; a text is a line of its shell
 * - `tcp`: takes a connection from the host: `host:port`, or a port of the machine itself
 * - `http`: a URL that answers with a status of 2xx or 3xx
 */
export type Probe = { readonly timeout?: number } & (
  | { readonly command: string | readonly string[]; readonly tcp?: never; readonly http?: never }
  | { readonly tcp: string | number; readonly command?: never; readonly http?: never }
  | { readonly http: string; readonly command?: never; readonly tcp?: never }
);

/** What MACHINE takes. The lines of `unitConf`, `serviceConf` and `installConf` go into the unit's sections as they are. */
export type Machine = {
  /** Name of the machine and of its unit: letters, digits, `-` and `.`, at most 64 characters. */
  readonly name: string;
  /** A unit template of your own, a path below the script's folder. */
  readonly template?: string;
  /** Lines for `[Unit]`, such as `Description=Web server`. */
  readonly unitConf?: readonly string[];
  /** Lines for `[Service]`, such as `CPUQuota=50%`. */
  readonly serviceConf?: readonly string[];
  /** Lines for `[Install]`. */
  readonly installConf?: readonly string[];
  /** `volatile` (default): what the machine writes is gone when it stops. `keep`: it stays until the next update. */
  readonly state?: "volatile" | "keep";
  /** How an update sees that the machine works; if it does not, the version before runs again. */
  readonly probe?: Probe;
};
