import { join } from "node:path";
import type { Problem } from "../base/errors.js";
import { isPlainObject, isRecord } from "../base/is-record.js";
import { didYouMean } from "../base/nearest.js";
import type { Place } from "../base/place.js";
import type { Keyword, ScriptKind } from "../dsl/call.js";
import type { Script } from "../script/load.js";
import { catalog, isSettingName, type SettingName } from "../settings/catalog.js";
import { entriesOf, type SettingEntry } from "../settings/value.js";
import {
  archivePath,
  bootstrapShape,
  bothPaths,
  digest,
  grants,
  machineShape,
  notBesidePath,
  sourcePath,
  targetPath,
  url,
  variables,
} from "./fields.js";
import {
  argv,
  boolean,
  type Cause,
  type Checked,
  type Checker,
  Mismatch,
  never,
  object,
  optional,
  type Shape,
  showGiven,
  text,
  wordOf,
} from "./shape.js";
import { Statements } from "./statement.js";
import type { Step } from "./step.js";

/** The steps of a script, and all that is wrong with single calls. */
export type Parsed = { readonly steps: readonly Step[]; readonly problems: readonly Problem[] };

const execArgv = argv((script) => `EXEC(["sh", "-c", ${script}])`);
const runArgv = argv((script) => `SH(${script})`);

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
  /** `setting`: the one in whose value it is. */
  wrong(cause: Omit<Cause, "path"> & { readonly path?: string; readonly setting?: string }): void;
  /** The line of the call where a setting stands. */
  lineOf(setting: string): Place;
};
type Parser = (context: Context) => Step | undefined;

/** Turns calls into steps: every argument checked by itself, nothing looked up on the host but the script's own text. */
export function parseCalls({ calls, folder, kind }: Script): Parsed {
  const steps: Step[] = [];
  const problems: Problem[] = [];
  const statements = new Statements();
  for (const { keyword, args, at } of calls) {
    const lineOf = (setting: string): Place => statements.spot(at, keyword, { fields: [], near: setting }).at;
    const wrong: Context["wrong"] = ({ path = "", setting, message, hint, near }) => {
      const fields = setting === undefined ? fieldNames(path) : [setting];
      const spot = statements.spot(at, keyword, { fields, near: near ?? (fields.length === 0 ? keyword : undefined) });
      problems.push({ ...spot, message: `${keyword}: ${path === "" ? "" : `${path}: `}${message}`, hint });
    };
    const more = tooMany(keyword, kind, args);
    if (more) wrong(more);
    // What was meant for one list is wrong only in being several arguments.
    if (more && (keyword === "RUN" || keyword === "EXEC")) continue;
    const step = parsers[keyword]({ at, folder, kind, args, wrong, lineOf });
    if (step) steps.push(step);
  }
  return { steps, problems };
}

/** What is wrong if a keyword gets more arguments than it takes. */
function tooMany(keyword: Keyword, kind: ScriptKind, args: readonly unknown[]): Omit<Cause, "path"> | undefined {
  const most = arities[keyword] + (hasOptions(keyword, kind, args) ? 1 : 0);
  const extra = args.slice(most).find((argument) => argument !== undefined);
  if (extra === undefined) return undefined;
  const takes = most === 0 ? "no argument" : most === 1 ? "one argument" : `${most} arguments`;
  return { message: `takes ${takes}, got another: ${showGiven(extra)}`, hint: hintForMore(keyword, args), near: wordOf(extra) };
}

/** Whether the keyword takes options behind its argument: those of an image, in a setup script; those of a command, in a build. */
function hasOptions(keyword: Keyword, kind: ScriptKind, [, options]: readonly unknown[]): boolean {
  if (keyword === "IMAGE") return kind === "setup";
  return (keyword === "RUN" || keyword === "SH") && kind === "build" && isPlainObject(options);
}

/** What may have been meant by more arguments than a keyword takes. */
function hintForMore(keyword: Keyword, args: readonly unknown[]): string {
  const [first, second] = args;
  const areTexts = args.every((argument) => typeof argument === "string");
  if ((keyword === "RUN" || keyword === "EXEC") && areTexts) return `write ${keyword}([${args.map(showGiven).join(", ")}])`;
  if (keyword === "COPY" && areTexts) return `write COPY({ source: ${showGiven(first)}, target: ${showGiven(second)} })`;
  if (keyword === "SH" && areTexts) return "write the commands into one text, with line breaks or && between them";
  if (keyword === "PUSH") return "the image goes to the URL of IMAGE";
  return "options go into one object with the rest";
}

/** The names in a path such as `packages[2]`. */
function fieldNames(path: string): readonly string[] {
  return path
    .replace(/\[\d+\]/g, "")
    .split(".")
    .filter((name) => name !== "");
}

const parsers: { readonly [K in Keyword]: Parser } = {
  IMAGE: (context) => {
    const [first, second] = context.args;
    const isSetup = context.kind === "setup";
    const grant = isSetup ? grants : never("grant belongs to the IMAGE of setup scripts");
    const forms = isSetup ? "IMAGE(url), IMAGE(url, { grant }) or IMAGE({ url, grant? })" : "IMAGE(url) or IMAGE({ url })";
    const given = take(context, { url, grant }, first, forms, "url");
    const options = isSetup && second !== undefined ? take(context, { grant }, second, forms) : { grant: undefined };
    return (
      given && options && { kind: "image", at: context.at, image: given.url, grant: [...(given.grant ?? []), ...(options.grant ?? [])] }
    );
  },
  PULL: (context) => {
    const given = take(context, { url, digest }, context.args[0], "PULL(url) or PULL({ url, digest? })", "url");
    return given && { kind: "pull", at: context.at, image: given.url, digest: given.digest };
  },
  BOOTSTRAP: (context) => {
    const forms = "BOOTSTRAP({ distribution, release, packages?, mirror?, components?, variant? })";
    const given = take(context, bootstrapShape, context.args[0], forms);
    return given && { kind: "bootstrap", at: context.at, bootstrap: withoutUndefined(given) };
  },
  EXEC: (context) => {
    const given = take(context, { command: execArgv }, context.args[0], "EXEC([program, …]) or EXEC({ command: [program, …] })", "command");
    return given && { kind: "exec", at: context.at, argv: given.command };
  },
  WITH: (context) => {
    const [settings] = context.args;
    if (!isPlainObject(settings)) return refuse(context, `expected WITH({ Setting: value, … }), got ${showGiven(settings)}`);
    const entries: SettingEntry[] = [];
    const removed: SettingName[] = [];
    const places = new Map<SettingName, Place>();
    for (const [name, value] of Object.entries(settings)) {
      if (!isSettingName(name)) {
        context.wrong(unknownSetting(name));
        continue;
      }
      places.set(name, context.lineOf(name));
      if (value === null) removed.push(name);
      else if (value !== undefined) entries.push(...settle(context, name, value));
      // A value may belong to another setting: { …, readOnly: true }.
      for (const entry of entries) if (!places.has(entry.name)) places.set(entry.name, context.lineOf(name));
    }
    return { kind: "with", at: context.at, entries, removed, places };
  },
  FETCH: (context) => {
    const [given] = context.args;
    const forms = "FETCH({ url, path, digest? }) or FETCH({ url, source, target, digest? })";
    const common = { url, digest };
    const fields = hasPath(given)
      ? take(context, { ...common, ...pathShape(given, archivePath) }, given, forms)
      : take(context, { ...common, source: archivePath, target: targetPath }, given, forms);
    if (!fields) return undefined;
    const { source, target } = "path" in fields ? fields.path : fields;
    return { kind: "fetch", at: context.at, archive: fields.url, source, target, digest: fields.digest };
  },
  COPY: (context) => {
    const paths = copyPaths(context, "COPY");
    return paths && { kind: "copy", at: context.at, ...paths };
  },
  CAST: (context) => {
    const paths = copyPaths(context, "CAST");
    const values = checked(context, variables(context.args[1] === undefined ? {} : context.args[1]));
    return paths && values && { kind: "cast", at: context.at, ...paths, variables: values };
  },
  RUN: (context) => {
    const given = take(context, { command: runArgv }, context.args[0], "RUN([program, …]) or RUN({ command: [program, …] })", "command");
    const options = commandOptions(context, "RUN(command, { cache: false })");
    return given && options && { kind: "run", at: context.at, argv: given.command, ...options };
  },
  SH: (context) => {
    const given = take(context, { script: text("a shell script") }, context.args[0], "SH(script) or SH({ script })", "script");
    const options = commandOptions(context, "SH(script, { cache: false })");
    return given && options && { kind: "sh", at: context.at, script: given.script, ...options };
  },
  PUSH: (context) => ({ kind: "push", at: context.at }),
  MACHINE: (context) => {
    const forms = "MACHINE(name) or MACHINE({ name, template?, unitConf?, serviceConf?, installConf?, state?, probe? })";
    const given = take(context, machineShape, context.args[0], forms, "name");
    if (!given) return undefined;
    const template = given.template === undefined ? undefined : below(context.folder, given.template);
    const { unitConf = [], serviceConf = [], installConf = [], state = "volatile", name, probe } = given;
    return { kind: "machine", at: context.at, machine: { name, template, unitConf, serviceConf, installConf, state, probe } };
  },
};

/** Takes the object form of a call, or the short form where the value stands for the field `short`. */
function take<S extends Shape>(
  context: Context,
  shape: S,
  given: unknown,
  forms: string,
  short?: keyof S & string,
): Checked<S> | undefined {
  if (short === undefined || isRecord(given)) return checked(context, object(shape, forms)(given));
  const value = shape[short]?.(given);
  if (!(value instanceof Mismatch)) return { [short]: value } as Checked<S>;
  return checked<Checked<S>>(
    context,
    new Mismatch(value.causes.map((cause) => ({ ...cause, hint: cause.hint ?? `the call is ${forms}` }))),
  );
}

/** What follows the command of RUN and SH. */
function commandOptions(context: Context, form: string): { readonly cache?: boolean | undefined } | undefined {
  const [, given] = context.args;
  return given === undefined || !isPlainObject(given) ? {} : checked(context, object({ cache: optional(boolean) }, form)(given));
}

/** The value of a checker, or its causes as problems of the call. */
function checked<T>(context: Context, result: T | Mismatch): T | undefined {
  if (!(result instanceof Mismatch)) return result;
  for (const cause of result.causes) context.wrong(cause);
  return undefined;
}

function refuse(context: Context, message: string): undefined {
  context.wrong({ message });
}

function unknownSetting(name: string): Omit<Cause, "path"> {
  const hint = didYouMean(name, Object.keys(catalog)) ?? "docs/settings.md has all of them, and so has systemd.nspawn(5)";
  return { message: `there is no setting ${name}`, hint, near: name };
}

function settle(context: Context, name: SettingName, value: unknown): readonly SettingEntry[] {
  const { entries, wrong } = entriesOf(name, value);
  for (const { expected, given, hint } of wrong) {
    context.wrong({ message: `${name} takes ${expected}, got ${showGiven(given)}`, hint, setting: name, near: wordOf(given) });
  }
  return entries;
}

function copyPaths(context: Context, keyword: "COPY" | "CAST"): { readonly source: string; readonly target: string } | undefined {
  const [given] = context.args;
  const more = keyword === "CAST" ? ", variables?" : "";
  const forms = `${keyword}(path${more}), ${keyword}({ path }${more}) or ${keyword}({ source, target }${more})`;
  const paths =
    isRecord(given) && !hasPath(given)
      ? take(context, { source: sourcePath, target: targetPath }, given, forms)
      : take(context, pathShape(given, sourcePath), given, forms, "path")?.path;
  return paths && { source: below(context.folder, paths.source), target: paths.target };
}

/** The fields of a call with `path`; `source` and `target` beside it are one mistake, told once. */
function pathShape(given: unknown, source: Checker<string>) {
  const isTold = isRecord(given) && given.source !== undefined;
  return { path: bothPaths(source), source: notBesidePath, target: isTold ? () => undefined : notBesidePath };
}

function hasPath(given: unknown): boolean {
  return isRecord(given) && Object.hasOwn(given, "path");
}

/** A path with a slash at its start, below the script's folder. */
function below(folder: string, path: string): string {
  return path === "/" ? folder : join(folder, path);
}

type WithoutUndefined<T> = { readonly [K in keyof T as undefined extends T[K] ? never : K]: T[K] } & {
  readonly [K in keyof T as undefined extends T[K] ? K : never]?: Exclude<T[K], undefined>;
};

function withoutUndefined<T extends object>(object: T): WithoutUndefined<T> {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as WithoutUndefined<T>;
}
