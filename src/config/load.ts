import { homedir } from "node:os";
import { join } from "node:path";
import { ConfigError, type ConfigProblem } from "../base/errors.js";
import { readAuth } from "./auth.js";
import { camelCase } from "./camel-case.js";
import type { Auth, AuthValues, Config } from "./config.js";
import { type Environment, type Expanded, expander } from "./expand.js";
import { authHost } from "./name-check.js";
import { authKeys, type KeySchema, schema } from "./schema.js";
import { fromFiles, fromOverrides, fromVariables, type Given, isSecret, type Source } from "./source.js";
import { readValue } from "./values.js";

export type LoadedConfig = {
  readonly config: Config;
  /** What is no error but worth a word, for people. */
  readonly warnings: readonly string[];
};

/**
 * Reads the configuration: defaults, then the files of `config/path_list`, then variables `NSPAWN_SECTION_KEY` of the environment, then
 * the values of the option `--config`.
 * @param overrides texts such as `[section]key=value`
 * @throws UsageError for an override that is none, ConfigError with all that is wrong
 */
export function loadConfig(options: { readonly environment: Environment; readonly overrides?: readonly string[] }): LoadedConfig {
  const environment = { ...options.environment, HOME: options.environment.HOME || homedir() };
  const last = [fromVariables(environment), fromOverrides(options.overrides ?? [])];
  const pathList = pathsOf(new Values([defaults, ...last], environment));
  const files = fromFiles(pathList);
  const sources = [defaults, files, ...last];
  const values = new Values(sources, environment);
  const config = readConfig(values);
  const problems = [...sources.flatMap((source) => source.problems), ...values.problems];
  if (problems.length > 0) throw wrongConfig(problems);
  return { config, warnings: [...sources.flatMap(({ warnings }) => warnings), ...latePathList(files, pathList)] };
}

/** The value of each key where nothing else is given. */
const defaults: Source = {
  given: Object.entries(schema).flatMap(([section, { keys }]) =>
    Object.entries<KeySchema>(keys).map(([key, { default: text }]) => ({ section, key, text, at: `default of ${section}/${key}` })),
  ),
  problems: [],
  warnings: [],
};

/** Values of sources, a later one over an earlier one, read as the table says. */
class Values {
  readonly problems: ConfigProblem[] = [];
  readonly given: ReadonlyMap<string, Given>;
  readonly #expand: (name: string) => Expanded;

  constructor(sources: readonly Source[], environment: Environment) {
    this.given = new Map(sources.flatMap(({ given }) => given.map((one) => [`${one.section}:${one.key}`, one])));
    const raw = [...this.given].map(([name, one]) => [name, { ...one, secret: isSecret(one) }] as const);
    this.#expand = expander(new Map(raw), environment);
  }

  /** Undefined where the value is wrong, which is noted. */
  read(section: string, name: string, key: KeySchema): unknown {
    const given = this.given.get(`${section}:${name}`);
    const expanded = given ? this.#expand(`${section}:${name}`) : { text: key.default };
    const reading = "wrong" in expanded ? expanded : readValue(key, expanded.text);
    if ("value" in reading) return reading.value;
    // A default is wrong only by what it refers to, and that is told by itself.
    if (given && defaults.given.includes(given)) return undefined;
    this.problems.push({
      at: given?.at ?? section,
      message: `${section}/${name} ${"wrong" in expanded ? `cannot be read: ${expanded.wrong}` : reading.wrong}`,
    });
    return undefined;
  }

  readAll(section: string, keys: Readonly<Record<string, KeySchema>>): Readonly<Record<string, unknown>> {
    return Object.fromEntries(Object.entries(keys).map(([name, key]) => [camelCase(name), this.read(section, name, key)]));
  }
}

function readConfig(values: Values): Config {
  const sections = Object.entries(schema).map(([section, { keys }]) => [section, values.readAll(section, keys)]);
  return { ...Object.fromEntries(sections), auth: readAuths(values) } as Config;
}

function readAuths(values: Values): ReadonlyMap<string, Auth> {
  const auths = new Map<string, Auth>();
  const seen = new Set<string>();
  for (const { section, at } of values.given.values()) {
    const host = authHost(section);
    if (host === undefined || seen.has(host)) continue;
    seen.add(host);
    const before = values.problems.length;
    const read = values.readAll(section, authKeys) as AuthValues;
    if (values.problems.length > before) continue;
    const auth = readAuth(read, values.given.get(`${section}:ca_file`)?.at);
    if ("value" in auth) auths.set(host, auth.value);
    else values.problems.push({ at, message: `[${section}] ${auth.wrong}` });
  }
  return auths;
}

function pathsOf(values: Values): readonly string[] {
  const paths = values.read("config", "path_list", schema.config.keys.path_list) as readonly string[] | undefined;
  if (paths === undefined) throw wrongConfig(values.problems);
  return paths;
}

function wrongConfig(problems: readonly ConfigProblem[]): ConfigError {
  const inOrder = problems.toSorted((one, other) => byPlace(one.at, other.at));
  return new ConfigError(inOrder, { hint: `all sections and keys are in ${join(import.meta.dirname, "../../config.ini")}` });
}

/** Problems of one file in the order of its lines; others as they came. */
function byPlace(one: string, other: string): number {
  const [first, second] = [one, other].map((at) => /^(.*):(\d+)$/.exec(at));
  return first && second && first[1] === second[1] ? Number(first[2]) - Number(second[2]) : 0;
}

/** A file says where files are: too late, unless it says what was done anyway. */
function latePathList({ given }: Source, read: readonly string[]): readonly string[] {
  return given
    .filter(
      ({ section, key, text }) =>
        section === "config" && key === "path_list" && text !== schema.config.keys.path_list.default && text !== read.join("\n"),
    )
    .map(({ at }) => `${at}: config/path_list has no effect in a file; set NSPAWN_CONFIG_PATH_LIST or give it in --config`);
}
