import { isUtf8 } from "node:buffer";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { type ConfigProblem, hasCode, messageOf, UsageError } from "../base/errors.js";
import { didYouMean } from "../base/nearest.js";
import type { Environment, RawValue } from "./expand.js";
import { authHost, checkKey, checkSection } from "./name-check.js";
import { type Ini, type IniEntry, parseIni } from "./parse.js";
import { type KeySchema, schema } from "./schema.js";

/** A value with its key and where it was given, as people find it. */
export type Given = RawValue & { readonly key: string; readonly at: string };

/** What one source of configuration says, in its order, and what is wrong with it. */
export type Source = {
  readonly given: readonly Given[];
  readonly problems: readonly ConfigProblem[];
  readonly warnings: readonly string[];
};

/** What files say, and the `*.ini` of folders in the order of their names; those that are not there say nothing. */
export function fromFiles(paths: readonly string[]): Source {
  return joined(paths.flatMap(filesAt).map(fromFile));
}

function filesAt(path: string): readonly string[] {
  try {
    const names = readdirSync(path).filter((name) => name.endsWith(".ini"));
    return names.sort().map((name) => join(path, name));
  } catch {
    // It is a file, or fails as one.
    return [path];
  }
}

function variableOf(section: string, key: string): string {
  return `NSPAWN_${section}_${key}`.replace(/[/-]/g, "_").toUpperCase();
}

/** The variables `NSPAWN_SECTION_KEY` of all keys there are. Their values are taken as they are: the shell has expanded them. */
export function fromVariables(environment: Environment): Source {
  const given = Object.entries(schema).flatMap(([section, { keys }]) =>
    Object.keys(keys).flatMap((key): readonly Given[] => {
      const at = variableOf(section, key);
      const text = environment[at];
      return text ? [{ section, key, text: trimmedLines(text), at, verbatim: true }] : [];
    }),
  );
  return { given, problems: [], warnings: unknownVariables(environment) };
}

/** Variables of other programs, and those that are no keys but ours, are no business of the configuration. */
const otherVariables: ReadonlySet<string> = new Set(["NSPAWN_BUILD_EPOCH"]);

/** What looks like a variable of a key, and is none. */
function unknownVariables(environment: Environment): readonly string[] {
  const known = Object.entries(schema).flatMap(([section, { keys }]) => Object.keys(keys).map((key) => variableOf(section, key)));
  const sections = Object.keys(schema).map((section) => variableOf(section, ""));
  return Object.keys(environment)
    .filter((name) => sections.some((start) => name.startsWith(start)) && !known.includes(name) && !otherVariables.has(name))
    .map((name) => {
      const suggestion = didYouMean(name, known);
      return `the variable ${name} is no key of the configuration, and means nothing${suggestion === undefined ? "" : `; ${suggestion}`}`;
    });
}

/**
 * The values of the option `--config`.
 * @throws UsageError for one that is not `[section]key=value`
 */
export function fromOverrides(overrides: readonly string[]): Source {
  return joined(
    overrides.map((override) => {
      const [, section, key, text = ""] = /^\[([^[\]]+)\]\s*([^=\s]+)\s*=(.*)$/s.exec(override) ?? [];
      if (section === undefined || key === undefined) {
        throw new UsageError(`--config is '[section]key=value', not ${JSON.stringify(override.replace(/=.*/s, "=…"))}`);
      }
      const checked = checkEntries([{ section, key, text: trimmedLines(text), line: 0 }], () => `--config '[${section}]${key}'`);
      const secret = checked.given.some(isSecret);
      const warning = `--config '[${section}]${key}': all users of this host can see the arguments of a command; write this into a file with mode 600`;
      return { ...checked, warnings: [...checked.warnings, ...(secret ? [warning] : [])] };
    }),
  );
}

function fromFile(path: string): Source {
  let content: string;
  let mode: number;
  try {
    const text = readText(path);
    if (text === undefined) return { given: [], problems: [{ at: path, message: "is no text in UTF-8" }], warnings: [] };
    content = text;
    ({ mode } = statSync(path));
  } catch (error) {
    if (hasCode(error, "ENOENT", "ENOTDIR")) return joined([]);
    // A file with a login is for root, and --plan is for everybody.
    if (hasCode(error, "EACCES") && process.getuid?.() !== 0) {
      return { given: [], problems: [], warnings: [`${path} is left out: only root can read it`] };
    }
    return { given: [], problems: [{ at: path, message: `cannot be read: ${messageOf(error)}` }], warnings: [] };
  }
  return fromText(path, content, mode);
}

function readText(path: string): string | undefined {
  const bytes = readFileSync(path);
  // Editors of other systems put a mark before the text.
  return isUtf8(bytes) ? bytes.toString("utf8").replace(/^\ufeff/, "") : undefined;
}

function fromText(path: string, content: string, mode: number): Source {
  const at = ({ line }: { readonly line: number }): string => `${path}:${line}`;
  const ini = parseIni(content);
  const checked = checkEntries(ini.entries, at);
  const isOpen = (mode & 0o044) !== 0 && checked.given.some(isSecret);
  return joined([
    { given: [], problems: ini.problems.map((problem) => ({ at: at(problem), message: problem.message })), warnings: [] },
    checked,
    { given: [], problems: [...wrongSections(ini, at), ...doubles(ini, at), ...relativePaths(ini, at)], warnings: [] },
    { given: [], problems: [], warnings: isOpen ? [`${path} holds a login and can be read by other users: chmod 600 ${path}`] : [] },
  ]);
}

function checkEntries(entries: readonly IniEntry[], at: (entry: IniEntry) => string): Source {
  return joined(
    entries.map((entry): Source => {
      const { key, text } = entry;
      const host = authHost(entry.section);
      // Names of hosts are the same in capitals.
      const section = host === undefined ? entry.section : `auth/${host}`;
      const given = [{ section, key, text, at: at(entry) }];
      const check = checkKey(section, key);
      if (check.kind === "key") return { given, problems: [], warnings: [] };
      if (check.kind === "unknown") return { given: [], problems: [{ at: at(entry), message: check.message }], warnings: [] };
      // Others may refer to it all the same.
      return { given, problems: [], warnings: [`${at(entry)}: ${section}/${key} has no meaning any more: ${check.reason}`] };
    }),
  );
}

/** Sections without keys, which no key tells of. */
function wrongSections({ sections, entries }: Ini, at: (section: { readonly line: number }) => string): readonly ConfigProblem[] {
  return sections
    .filter(({ name }) => !entries.some(({ section }) => section === name))
    .flatMap((section) => {
      const check = checkSection(section.name);
      return check?.kind === "unknown" ? [{ at: at(section), message: check.message }] : [];
    });
}

/** A key that a file gives twice is a mistake; between files the later one counts. */
function doubles({ entries }: Ini, at: (entry: IniEntry) => string): readonly ConfigProblem[] {
  const lines = new Map<string, number>();
  return entries.flatMap((entry) => {
    const name = `${entry.section}/${entry.key}`;
    const first = lines.get(name);
    lines.set(name, first ?? entry.line);
    return first === undefined ? [] : [{ at: at(entry), message: `${name} is given twice, first in line ${first}` }];
  });
}

/** Whoever reads a file stands in another folder each time. What refers to other values or to the environment is not judged. */
function relativePaths({ entries }: Ini, at: (entry: IniEntry) => string): readonly ConfigProblem[] {
  return entries.flatMap((entry) => {
    const check = checkKey(entry.section, entry.key);
    const isPath = check.kind === "key" && (check.key.kind === "path" || check.key.kind === "optionalPath");
    if (!isPath || entry.text === "" || /^[/$~"']/.test(entry.text)) return [];
    return [{ at: at(entry), message: `${entry.section}/${entry.key} is an absolute path, not ${JSON.stringify(entry.text)}` }];
  });
}

/** Whether a value may be in no message. */
export function isSecret({ section, key, text }: Given): boolean {
  const check = checkKey(section, key);
  const known: KeySchema | undefined = check.kind === "key" ? check.key : undefined;
  if (text === "" || !known?.secret) return false;
  // Proxies are secret only if there is a login in one of them.
  return known.kind !== "proxyVariables" || /\/\/[^/\s]*@/.test(text);
}

function trimmedLines(text: string): string {
  return text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "")
    .join("\n");
}

function joined(sources: readonly Source[]): Source {
  return {
    given: sources.flatMap(({ given }) => given),
    problems: sources.flatMap(({ problems }) => problems),
    warnings: sources.flatMap(({ warnings }) => warnings),
  };
}
