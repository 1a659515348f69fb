/** What setup scripts import: `import { IMAGE, MACHINE, … } from "nspawn/setup"`. Keywords only record; the work comes after. */
import type { Settings } from "../settings/value.js";
import type { CommandArgument, CopyArgument, ImageOptions, Machine, ScriptArgument, TemplateVariables } from "./arguments.js";
import type { Keyword } from "./call.js";
import { record } from "./record.js";

export type { BindSpec, OverlaySpec, Settings, TemporaryFileSystemSpec } from "../settings/value.js";
export type { CommandArgument, CopyArgument, ImageOptions, Machine, Probe, ScriptArgument, TemplateVariables } from "./arguments.js";
export type { ArchitectureNaming, ConfigName, ConfigValue, Tool } from "./tool.js";
export { TOOL } from "./tool.js";

const say = (keyword: Keyword, args: readonly unknown[]): void => record("setup", keyword, args);

/**
 * The image that the machine runs. Exactly one.
 *
 * @param options `grant`: settings that open the host to the machine, and that this image and its parents may set
 * @example IMAGE("https://images.example.org/web/2026-11.tar.zst", { grant: ["Bind"] })
 */
export function IMAGE(image: string | ({ readonly url: string } & ImageOptions), options?: ImageOptions): void;
export function IMAGE(...args: readonly unknown[]): void {
  say("IMAGE", args);
}

/**
 * The machine: one systemd unit. Exactly one.
 *
 * @example MACHINE({ name: "web", serviceConf: ["CPUQuota=50%"], probe: { http: "http://192.0.2.7/health" } })
 */
export function MACHINE(machine: string | Machine): void;
export function MACHINE(...args: readonly unknown[]): void {
  say("MACHINE", args);
}

/**
 * The command that the machine runs, instead of the image's own. At most one.
 *
 * @example EXEC(["/usr/sbin/nginx", "-g", "daemon off;"])
 */
export function EXEC(command: CommandArgument): void;
export function EXEC(...args: readonly unknown[]): void {
  say("EXEC", args);
}

/**
 * Settings of systemd.nspawn(5) under their own names. A single value wins over the image's, lists add up, `null` removes what an image
 * has set.
 *
 * @example WITH({ VirtualEthernet: true, Bind: { source: "/srv/web/", target: "/srv/data" } })
 */
export function WITH(settings: Settings): void;
export function WITH(...args: readonly unknown[]): void {
  say("WITH", args);
}

/**
 * Copies a file or a folder from the script's folder onto the host.
 *
 * @example COPY({ source: "/web.conf", target: "/etc/web/web.conf" })
 */
export function COPY(what: CopyArgument): void;
export function COPY(...args: readonly unknown[]): void {
  say("COPY", args);
}

/**
 * Copies onto the host as COPY does, through the Jinja template language: `variables`, and `source` and `target`, can be used in the files.
 *
 * @example CAST("/etc/web/web.conf", { port: 8080 })
 */
export function CAST(what: CopyArgument, variables?: TemplateVariables): void;
export function CAST(...args: readonly unknown[]): void {
  say("CAST", args);
}

/**
 * Runs a program on the host, without a shell, in the script's folder.
 *
 * @example RUN(["mkdir", "-p", "/srv/web"])
 */
export function RUN(command: CommandArgument): void;
export function RUN(...args: readonly unknown[]): void {
  say("RUN", args);
}

/**
 * Runs a shell script on the host, by `sh -e -c` (the configuration's `build/shell_invoke`).
 *
 * @example SH("mkdir -p /srv/web")
 */
export function SH(script: ScriptArgument): void;
export function SH(...args: readonly unknown[]): void {
  say("SH", args);
}
