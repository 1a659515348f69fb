import { join, normalize } from "node:path";
import type { Problem } from "../base/errors.js";
import { isRecord } from "../base/is-record.js";
import { nearest } from "../base/nearest.js";
import type { Place } from "../base/place.js";
import type { Keyword, ScriptKind } from "../dsl/call.js";
import type { Script } from "../script/load.js";
import { catalog, isSettingName, type SettingName } from "../settings/catalog.js";
import { entriesOf, type SettingEntry } from "../settings/value.js";
import { type ImageRef, imageRef } from "./image-ref.js";
import { checkMachineName } from "./machine-name.js";
import { argv, type Checker, listOf, Mismatch, never, object, oneOf, optional, showGiven, text } from "./shape.js";
import type { Step } from "./step.js";

/** The steps of a script, and all that is wrong with single calls. */
export type Parsed = { readonly steps: readonly Step[]; readonly problems: readonly Problem[] };

/** Most arguments that a keyword takes. */
const arities: { readonly [K in Keyword]: number } = {
  IMAGE: 1,
  PULL: 1,
  BOOTSTRAP: 1,
  MACHINE: 1,
  EXEC: 1,
  WITH: 1,
  FETCH: 1,
  COPY: 1,
  CAST: 2,
  RUN: 1,
  SH: 1,
  PUSH: 0,
};

type Context = {
  readonly at: Place;
  readonly folder: string;
  readonly kind: ScriptKind;
  readonly args: readonly unknown[];
  problem(message: string, hint?: string): void;
};
type Parser = (context: Context) => Step | undefined;

/** Turns calls into steps: every argument checked by itself, nothing looked up on the host. */
export function parseCalls({ calls, folder, kind }: Script): Parsed {
  const steps: Step[] = [];
  const problems: Problem[] = [];
  for (const { keyword, args, at } of calls) {
    const problem = (message: string, hint?: string): void => void problems.push({ at, message: `${keyword}: ${message}`, hint });
    const most = keyword === "IMAGE" && kind === "setup" ? 2 : arities[keyword];
    const extra = args.slice(most).find((argument) => argument !== undefined);
    if (extra !== undefined) {
      problem(
        `takes ${most === 0 ? "no argument" : most === 1 ? "one argument" : `${most} arguments`}, got another: ${showGiven(extra)}`,
        "options go into one object with the rest",
      );
    }
    const step = parsers[keyword]({ at, folder, kind, args, problem });
    if (step) steps.push(step);
  }
  return { steps, problems };
}

const parsers: { readonly [K in Keyword]: Parser } = {
  IMAGE: (context) => {
    const [first, second] = context.args;
    const url = text("a URL");
    const isSetup = context.kind === "setup";
    const given = isSetup
      ? take(context, { url, grant: grants }, first, "IMAGE(url) or IMAGE({ url, grant? })", "url")
      : take(context, { url, grant: never("grant belongs to setup scripts") }, first, "IMAGE(url) or IMAGE({ url })", "url");
    const options =
      isSetup && second !== undefined ? take(context, { grant: grants }, second, "IMAGE(url, { grant? })") : { grant: undefined };
    const image = given && refOf(context, given.url);
    if (!given || !options || !image) return undefined;
    return { kind: "image", at: context.at, image, grant: [...(given.grant ?? []), ...(options.grant ?? [])] };
  },
  PULL: (context) => {
    const given = take(
      context,
      { url: text("a URL"), digest: optional(digest) },
      context.args[0],
      "PULL(url) or PULL({ url, digest? })",
      "url",
    );
    const image = given && refOf(context, given.url);
    return image && { kind: "pull", at: context.at, image, digest: given.digest };
  },
  BOOTSTRAP: (context) => {
    const given = take(
      context,
      bootstrapShape,
      context.args[0],
      "BOOTSTRAP({ distribution, release, packages?, mirror?, components?, variant? })",
    );
    return given && { kind: "bootstrap", at: context.at, bootstrap: withoutUndefined(given) };
  },
  EXEC: (context) => {
    const given = take(context, { command: argv }, context.args[0], "EXEC([program, …]) or EXEC({ command: [program, …] })", "command");
    return given && { kind: "exec", at: context.at, argv: given.command };
  },
  WITH: (context) => {
    const [settings] = context.args;
    if (!isRecord(settings)) return context.problem(`expected WITH({ Setting: value, … }), got ${showGiven(settings)}`) as undefined;
    const entries: SettingEntry[] = [];
    const removed: SettingName[] = [];
    for (const [name, value] of Object.entries(settings)) {
      if (!isSettingName(name)) {
        const near = nearest(name, Object.keys(catalog));
        context.problem(`there is no setting ${name}`, near && `did you mean ${near}?`);
      } else if (value === null) removed.push(name);
      else if (value !== undefined) entries.push(...settle(context, name, value));
    }
    return { kind: "with", at: context.at, entries, removed };
  },
  FETCH: (context) => {
    const [given] = context.args;
    const path = text("a path");
    const common = { url: text("a URL"), digest: optional(digest) };
    const expected = "FETCH({ url, path }) or FETCH({ url, source, target, digest? })";
    const fields =
      isRecord(given) && "path" in given
        ? samePaths(take(context, { ...common, path }, given, expected))
        : take(context, { ...common, source: path, target: path }, given, expected);
    const archive = fields && refOf(context, fields.url);
    const target = fields && targetPath(context, fields.target);
    const source = fields && archivePath(context, fields.source);
    if (!fields || !archive || target === undefined || source === undefined) return undefined;
    return { kind: "fetch", at: context.at, archive, source, target, digest: fields.digest };
  },
  COPY: (context) => {
    const paths = copyPaths(context, "COPY");
    return paths && { kind: "copy", at: context.at, ...paths };
  },
  CAST: (context) => {
    const paths = copyPaths(context, "CAST");
    const variables = context.args[1] ?? {};
    if (!isRecord(variables)) context.problem(`expected an object with the template's variables, got ${showGiven(variables)}`);
    return paths && isRecord(variables) ? { kind: "cast", at: context.at, ...paths, variables } : undefined;
  },
  RUN: (context) => {
    const given = take(context, { command: argv }, context.args[0], "RUN([program, …]) or RUN({ command: [program, …] })", "command");
    return given && { kind: "run", at: context.at, argv: given.command };
  },
  SH: (context) => {
    const given = take(context, { script: text("a shell script") }, context.args[0], "SH(script) or SH({ script })", "script");
    return given && { kind: "sh", at: context.at, script: given.script };
  },
  PUSH: (context) => ({ kind: "push", at: context.at }),
  MACHINE: (context) => {
    const given = take(context, machineShape, context.args[0], "MACHINE(name) or MACHINE({ name, template?, unitConf?, … })", "name");
    if (!given) return undefined;
    const wrong = checkMachineName(given.name);
    if (wrong) return context.problem(wrong) as undefined;
    const template = given.template === undefined ? undefined : sourcePath(context, given.template);
    const { unitConf = [], serviceConf = [], installConf = [], state = "volatile", name } = given;
    return { kind: "machine", at: context.at, machine: { name, template, unitConf, serviceConf, installConf, state } };
  },
};

const grants = optional(
  listOf<SettingName>(
    (value) => (typeof value === "string" && isSettingName(value) ? value : new Mismatch("names of settings", value)),
    "a list of settings",
  ),
);
const digest: Checker<string> = (value) =>
  typeof value === "string" && /^sha256:[0-9a-f]{64}$/.test(value) ? value : new Mismatch("sha256: and 64 hexadecimal digits", value);
const word: Checker<string> = (value) =>
  typeof value === "string" && /^[A-Za-z0-9][A-Za-z0-9+.:~_-]*$/.test(value)
    ? value
    : new Mismatch("a name of letters, digits and + . : ~ _ -", value);
const confLine: Checker<string> = (value) =>
  typeof value === "string" && /^[A-Za-z][A-Za-z0-9]*=([^\n\r\0]*[^\n\r\0\\])?$/.test(value)
    ? value
    : new Mismatch("lines of a unit such as CPUQuota=50%", value);
const confLines = optional(listOf(confLine, "a list of lines of a unit"));
const mirrorUrl: Checker<string> = (value) =>
  typeof value === "string" && URL.canParse(value) && /^(https?|file):/.test(value)
    ? value
    : new Mismatch("an http:, https: or file: URL", value);

const bootstrapShape = {
  distribution: oneOf("debian", "ubuntu"),
  release: word,
  packages: optional(listOf(word, "a list of package names")),
  mirror: optional(mirrorUrl),
  components: optional(listOf(word, "a list of components")),
  variant: optional(oneOf("apt", "essential", "minbase", "important", "standard")),
};
const machineShape = {
  name: text("a machine name"),
  template: optional(text("a path below the script's folder")),
  unitConf: confLines,
  serviceConf: confLines,
  installConf: confLines,
  state: optional(oneOf("volatile", "keep")),
};

/** Takes the object form of a call, or the short form where the value stands for the field `short`. */
function take<S extends Readonly<Record<string, Checker<unknown>>>>(
  context: Context,
  shape: S,
  given: unknown,
  expected: string,
  short?: keyof S & string,
) {
  const checked = object(shape, expected)(short !== undefined && !isRecord(given) ? { [short]: given } : given);
  if (!(checked instanceof Mismatch)) return checked;
  const about = checked.given === given || !checked.expected.startsWith(`${short}: `) ? "" : `, as in ${expected}`;
  context.problem(`expected ${checked.expected}${about}, got ${showGiven(checked.given)}`);
  return undefined;
}

function refOf(context: Context, url: string): ImageRef | undefined {
  const image = imageRef(url);
  if (typeof image !== "string") return image;
  context.problem(image, "an image URL looks like https://host/path/name.tar.zst or file:///path/name.tar.zst");
  return undefined;
}

function settle(context: Context, name: SettingName, value: unknown): readonly SettingEntry[] {
  const entries = entriesOf(name, value);
  if (typeof entries !== "string") return entries;
  context.problem(`${name} takes ${entries}, got ${showGiven(value)}`);
  return [];
}

function copyPaths(context: Context, keyword: "COPY" | "CAST"): { readonly source: string; readonly target: string } | undefined {
  const [given] = context.args;
  const path = text("a path");
  const expected = `${keyword}(path), ${keyword}({ path }) or ${keyword}({ source, target })`;
  const paths =
    isRecord(given) && !("path" in given)
      ? take(context, { source: path, target: path }, given, expected)
      : samePaths(take(context, { path }, given, expected, "path"));
  if (!paths) return undefined;
  const source = sourcePath(context, paths.source);
  const target = targetPath(context, paths.target);
  return source === undefined || target === undefined ? undefined : { source, target };
}

function samePaths<T extends { readonly path: string }>(given: T | undefined) {
  return given && { ...given, source: given.path, target: given.path };
}

/** An absolute path in the image, or on the host. */
function targetPath(context: Context, path: string): string | undefined {
  if (path.startsWith("/")) return normalize(path);
  context.problem(`target ${JSON.stringify(path)} is not an absolute path`, `write ${JSON.stringify(`/${path.replace(/^(\.?\/)+/, "")}`)}`);
  return undefined;
}

/** A path in an archive, with a slash at its start and none at its end; `/` is all of it. */
function archivePath(context: Context, path: string): string | undefined {
  if (path.split("/").includes("..")) {
    context.problem(`source ${JSON.stringify(path)} leads out of the archive`, "name a file or a folder in it, or / for all of it");
    return undefined;
  }
  const normal = normalize(`/${path}`);
  return normal.length > 1 && normal.endsWith("/") ? normal.slice(0, -1) : normal;
}

/** A path below the script's folder, written with or without a slash at its start. */
function sourcePath(context: Context, path: string): string | undefined {
  if (path.split("/").includes("..")) {
    context.problem(`source ${JSON.stringify(path)} leads out of the script's folder`, `move it into ${context.folder}`);
    return undefined;
  }
  const joined = normalize(join(context.folder, path));
  return joined.length > 1 && joined.endsWith("/") ? joined.slice(0, -1) : joined;
}

type WithoutUndefined<T> = { readonly [K in keyof T as undefined extends T[K] ? never : K]: T[K] } & {
  readonly [K in keyof T as undefined extends T[K] ? K : never]?: Exclude<T[K], undefined>;
};

function withoutUndefined<T extends object>(object: T): WithoutUndefined<T> {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as WithoutUndefined<T>;
}
