/** What build scripts import: `import { IMAGE, PULL, … } from "nspawn/build"`. Keywords only record; the work comes after. */
import type { Settings } from "../settings/value.js";
import type {
  Bootstrap,
  CommandArgument,
  CommandOptions,
  CopyArgument,
  FetchArgument,
  PullArgument,
  ScriptArgument,
  TemplateVariables,
} from "./arguments.js";
import type { Keyword } from "./call.js";
import { record } from "./record.js";

export type { BindSpec, OverlaySpec, Settings, TemporaryFileSystemSpec } from "../settings/value.js";
export type * from "./arguments.js";
export type { ArchitectureNaming, ConfigName, ConfigValue, Tool } from "./tool.js";
export { TOOL } from "./tool.js";

const say = (keyword: Keyword, args: readonly unknown[]): void => record("build", keyword, args);

/**
 * The image that this script builds: the URL it is published to. Exactly one.
 *
 * @param image a `file:`, `http:` or `https:` URL that ends in `.tar.gz`, `.tar.xz` or `.tar.zst`
 * @example IMAGE("https://images.example.org/web/2026-11.tar.zst")
 */
export function IMAGE(image: string | { readonly url: string }): void;
export function IMAGE(...args: readonly unknown[]): void {
  say("IMAGE", args);
}

/**
 * A parent image. Several are allowed: a later one lies on top of an earlier one, and ancestors that they share are there once.
 *
 * @example PULL("https://images.example.org/debian/bookworm.tar.zst")
 * @example PULL({ url: "https://images.example.org/tools.tar.zst", digest: "sha256:…" })
 */
export function PULL(image: PullArgument): void;
export function PULL(...args: readonly unknown[]): void {
  say("PULL", args);
}

/**
 * A bottom layer made from a distribution's own packages by mmdebstrap(1), where there is no base image to PULL. The result is cached.
 *
 * @example BOOTSTRAP({ distribution: "debian", release: "bookworm", packages: ["systemd-sysv"] })
 */
export function BOOTSTRAP(bootstrap: Bootstrap): void;
export function BOOTSTRAP(...args: readonly unknown[]): void {
  say("BOOTSTRAP", args);
}

/**
 * The command that machines of this image run, in place of booting. At most one.
 *
 * @example EXEC(["/usr/sbin/nginx", "-g", "daemon off;"])
 */
export function EXEC(command: CommandArgument): void;
export function EXEC(...args: readonly unknown[]): void {
  say("EXEC", args);
}

/**
 * Settings of systemd.nspawn(5) that machines of this image get, under their own names; `null` removes what a parent has set.
 * `Environment` and `WorkingDirectory` also hold for RUN and SH. Settings that open the host to the machine need a grant of the setup
 * script.
 *
 * @example WITH({ Boot: true, Environment: { TZ: "UTC" } })
 */
export function WITH(settings: Settings): void;
export function WITH(...args: readonly unknown[]): void {
  say("WITH", args);
}

/**
 * Downloads an archive (`.tar`, `.tar.gz`, `.tar.xz`, `.tar.zst`, `.zip`), takes a file or a folder out of it, and copies that into the
 * image as COPY does.
 *
 * @example FETCH({ url: "https://example.org/tool-1.2.tar.xz", source: "/tool-1.2/bin/tool", target: "/usr/local/bin/tool" })
 */
export function FETCH(what: FetchArgument): void;
export function FETCH(...args: readonly unknown[]): void {
  say("FETCH", args);
}

/**
 * Copies a file or a folder from the script's folder into the image; owned by root, mode, times, ACLs and extended attributes kept. A
 * folder merges into one that is there.
 *
 * @example COPY("/etc")
 * @example COPY({ source: "/root/input.md", target: "/root/output.md" })
 */
export function COPY(what: CopyArgument): void;
export function COPY(...args: readonly unknown[]): void {
  say("COPY", args);
}

/**
 * Copies as COPY does, through the Jinja template language: `variables`, and `source` and `target`, can be used in the files.
 *
 * @example CAST("/root/readme.md", { variable: "value" })
 */
export function CAST(what: CopyArgument, variables?: TemplateVariables): void;
export function CAST(...args: readonly unknown[]): void {
  say("CAST", args);
}

/**
 * Runs a program in the image, without a shell. What it has changed is taken from the cache as long as nothing before it and nothing of it
 * is another; `{ cache: false }` has it run in each build.
 *
 * @example RUN(["nginx", "-t"])
 * @example RUN(["fetch-news", "/srv/news"], { cache: false })
 */
export function RUN(command: CommandArgument, options?: CommandOptions): void;
export function RUN(...args: readonly unknown[]): void {
  say("RUN", args);
}

/**
 * Runs a shell script in the image, by `sh -e -c` (the configuration's `build/shell_invoke`). It is cached as RUN is.
 *
 * @example SH("apt-get update && apt-get install --yes nginx-light")
 * @example SH("date > /etc/built", { cache: false })
 */
export function SH(script: ScriptArgument, options?: CommandOptions): void;
export function SH(...args: readonly unknown[]): void {
  say("SH", args);
}

/** Publishes the image to its URL, after all other steps. At most one. */
export function PUSH(): void;
export function PUSH(...args: readonly unknown[]): void {
  say("PUSH", args);
}
