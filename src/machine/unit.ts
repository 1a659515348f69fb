import { readFileSync } from "node:fs";
import { join } from "node:path";
import { hasCode, messageOf, NspawnError } from "../base/errors.js";
import type { Place } from "../base/place.js";
import { sha256 } from "../base/sha256.js";
import { decodeUtf8 } from "../base/utf8.js";
import type { Config } from "../config/config.js";
import { type Program, programPath } from "../host/programs.js";
import type { ImageChain } from "../image/resolve.js";
import { travelOptions } from "../layer/overlay.js";
import type { MachineSpec } from "../plan/step.js";
import type { SettingName } from "../settings/catalog.js";
import { originOf, type Setting } from "../settings/merge.js";
import { directivesOf, parametersOf, renderSettings } from "../settings/render.js";
import { type Rendered, renderKey, renderTemplate } from "../template/template.js";
import { bindStubs } from "./bind-stub.js";
import { defaultTemplateDigest, defaultUnit } from "./default-unit.js";
import { deviceAllowances } from "./devices.js";
import { cleanCommands } from "./leftovers.js";
import type { MachinePaths } from "./paths.js";
import { overlayPath, unitArgument, unitCommand, unitComment, unitPath, unitPaths, unitValue } from "./quote.js";
import { unitMark } from "./unit-mark.js";
import { brokenRules } from "./unit-rules.js";
import type { UnitVariables } from "./unit-variables.js";

/** A machine with everything settled: enough to write its unit. */
export type Machine = {
  readonly script: string;
  readonly spec: MachineSpec;
  readonly chain: ImageChain;
  readonly settings: readonly Setting[];
  readonly command: { readonly argv: readonly string[]; readonly origin: string; readonly at?: Place | undefined } | undefined;
  readonly paths: MachinePaths;
  /** Folder of the layers: the unit names them relative to it. */
  readonly layersFolder: string;
  readonly config: Pick<Config["machine"], "template" | "useBindStub" | "overlayfsMountOpts">;
  /** Version of the host's systemd, undefined if it is not known: newer ones know more directives. */
  readonly systemd: number | undefined;
};

/** mount(2) takes one page of options. */
const maxOptions = 4095;

/**
 * The unit of a machine, from the script's own template or the default one. Every value in it is quoted.
 * @throws NspawnError for a template that cannot be read or rendered, or whose unit breaks a rule, see {@link brokenRules}
 */
export function renderUnit(machine: Machine): Rendered {
  const path = templateOf(machine);
  const source = readTemplate(path);
  const variables = unitVariables(machine);
  const { text, key } = isDefault(source)
    ? { text: defaultUnit(variables), key: renderKey(source, variables) }
    : renderTemplate(path, source, variables);
  const broken = brokenRules(text, machine);
  if (broken.length > 0) {
    const list = broken.map((rule) => `\n  ${rule}`).join("");
    throw new NspawnError(`the template ${path} makes no unit of a machine:${list}`, {
      hint: `compare it with the default one, ${defaultTemplate}; docs/unit.md says what a template has to do, and what it is given`,
    });
  }
  const mark = `${unitMark} ${machine.spec.name}\n`;
  return { text: text.startsWith(mark) ? text : `${mark}${text}`, key };
}

/**
 * A digest of all that the unit of a machine is made of, if its template names no other one.
 * @throws NspawnError for a template that cannot be read, or what no unit can hold
 */
export function unitKey(machine: Machine): string {
  return renderKey(readTemplate(templateOf(machine)), unitVariables(machine));
}

/** Whether the unit of a machine is made without minijinja. What is wrong with its template is told when that is rendered. */
export function hasDefaultTemplate(machine: Pick<Machine, "spec" | "config">): boolean {
  try {
    return isDefault(readTemplate(templateOf(machine)));
  } catch (error) {
    if (error instanceof NspawnError) return false;
    throw error;
  }
}

function templateOf({ spec, config }: Pick<Machine, "spec" | "config">): string {
  return spec.template ?? config.template ?? defaultTemplate;
}

/** Whether a template is the default one, as it was when {@link defaultUnit} was made of it. */
function isDefault(source: string): boolean {
  return sha256(source) === defaultTemplateDigest;
}

/** Whether two units do the same: they differ in comments at most. */
export function sameUnit(a: string, b: string): boolean {
  const withoutComments = (text: string): string => text.replace(/^#.*\n/gm, "");
  return withoutComments(a) === withoutComments(b);
}

function readTemplate(path: string): string {
  let text: string | undefined;
  try {
    text = decodeUtf8(readFileSync(path));
  } catch (error) {
    throw new NspawnError(`the template ${path} of the unit ${troubleOf(error)}`, {
      cause: error,
      hint: "it is named by MACHINE of the script, or by machine/template of the configuration",
    });
  }
  if (text === undefined) throw new NspawnError(`the template ${path} of the unit is no text in UTF-8`);
  return text;
}

function troubleOf(error: unknown): string {
  if (hasCode(error, "ENOENT", "ENOTDIR")) return "is not there";
  return hasCode(error, "EACCES") ? "may not be read by this user" : `cannot be read: ${messageOf(error)}`;
}

/** What machines have by default; users may look at it, and begin their own with it. */
const defaultTemplate = join(import.meta.dirname, "../../templates/machine-default.service");

function unitVariables(machine: Machine): UnitVariables {
  const { spec, paths, chain, settings } = machine;
  return {
    systemd: machine.systemd ?? 0,
    name: spec.name,
    script: unitComment(machine.script),
    state: spec.state,
    root: unitPath(paths.root),
    runtime: unitPath(paths.runtime),
    layers_folder: unitPath(machine.layersFolder),
    mounts: unitPaths([machine.layersFolder, paths.runtime, paths.root]),
    layers: chain.map(({ image, layer }) => ({
      id: layer.id,
      url: unitComment(image.written),
      digest: layer.digest,
      path: unitPath(layer.folder),
    })),
    prepare: machine.config.useBindStub ? prepareCommands(settings) : [],
    mount: mountCommands(machine),
    release: releaseCommands(machine),
    clean: cleanCommands(spec.name, settings),
    settings: settings.map((setting) => ({
      name: setting.name,
      value: unitComment(JSON.stringify(setting.value)),
      origin: unitComment(originOf(setting)),
    })),
    directives: [
      ...directivesOf(settings).map(({ name, value }) => `${name}=${unitValue(value)}`),
      ...deviceAllowances(settings).map(({ target, access }) => `DeviceAllow=${unitPaths([target])} ${access}`),
    ],
    nspawn: nspawnArguments(machine),
    command_origin: unitComment(machine.command ? originOf(machine.command) : ""),
    unit_conf: spec.unitConf,
    service_conf: spec.serviceConf,
    install_conf: spec.installConf,
  };
}

/** What the unit sees to itself. A volatile root is what Ephemeral asks for; systemd-nspawn would copy it whole, and version 262 fails to. */
const impliedSettings: ReadonlySet<SettingName> = new Set(["KeepUnit", "Ephemeral"]);

function nspawnArguments({ spec, paths, settings, command }: Machine): readonly string[] {
  // The unit is the machine's scope: without --keep-unit systemd-nspawn would leave it for one of its own.
  const always = ["--settings=no", "--keep-unit", `--machine=${spec.name}`, `--directory=${paths.root}`];
  const argv = [...always, ...renderSettings(settings.filter(({ name }) => !impliedSettings.has(name)))];
  const payload = command ? command.argv : parametersOf(settings);
  const rest = payload.length > 0 ? ["--", ...payload] : [];
  return [path("systemd-nspawn"), ...argv, ...rest].map(unitArgument);
}

function prepareCommands(settings: readonly Setting[]): readonly string[] {
  return bindStubs(settings).map(({ kind, path: stub }) =>
    // A file that is there is left alone: it may be on a file system that is read-only.
    kind === "folder"
      ? unitCommand([path("mkdir"), "--parents", stub])
      : unitCommand([path("sh"), "-c", 'test -e "$1" || touch "$1"', "sh", stub]),
  );
}

function mountCommands(machine: Machine): readonly string[] {
  const { spec, paths, chain, layersFolder } = machine;
  const [top] = chain;
  if (!top) throw new NspawnError(`the machine ${spec.name} has no layers`);
  const { mode, uid, gid, attributes } = top.layer.root;
  const names = chain.map(({ layer }) => layer.id).join(":");
  const folders = [`lowerdir=${names}`, `upperdir=${overlayPath(paths.upper)}`, `workdir=${overlayPath(paths.work)}`];
  const options = [...folders, "nodev", ...machine.config.overlayfsMountOpts, travelOptions].join(",");
  if (options.length > maxOptions) {
    throw new NspawnError(`the ${chain.length} layers of the machine ${spec.name} are more than one mount takes`, {
      hint: `they are named in ${layersFolder}; build some of the images from fewer parents`,
    });
  }
  // The root folder of the top layer is the root of the machine, with its mode and owner. What those of the other one are makes no difference.
  const made = [path("install"), "--directory", `--mode=${mode.toString(8)}`, `--owner=${uid}`, `--group=${gid}`, paths.upper, paths.work];
  // Each program that systemd starts takes it some 10 ms: mount(8) makes its mount point itself.
  const mount = [path("mount"), "--types", "overlay", "--options", `${options},X-mount.mkdir`, `nspawn-${spec.name}`, paths.root];
  return [
    ...(spec.state === "volatile" ? [removeRuntime(paths)] : []),
    unitCommand(made),
    ...(attributes ? [copyAttributes(top.layer.folder, paths.upper)] : []),
    unitCommand(mount),
  ];
}

function releaseCommands({ spec, paths }: Machine): readonly string[] {
  return [unitCommand([path("umount"), "--lazy", paths.root]), ...(spec.state === "volatile" ? [removeRuntime(paths)] : [])];
}

/** What install(1) leaves out: ACL and extended attributes of the root folder. */
function copyAttributes(from: string, to: string): string {
  const tar = "tar --xattrs --xattrs-include=user.* --acls";
  const script = `${tar} --create --no-recursion --directory="$1" . | ${tar} --extract --directory="$2"`;
  return unitCommand([path("sh"), "-c", script, "sh", from, to]);
}

function removeRuntime(paths: MachinePaths): string {
  return unitCommand([path("rm"), "--recursive", "--force", "--one-file-system", paths.runtime]);
}

function path(program: Program): string {
  return programPath(program);
}
