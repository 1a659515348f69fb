import { showName } from "../../base/byte-path.js";
import type { DigestMemory } from "../../base/digest-memory.js";
import { sha256 } from "../../base/sha256.js";
import type { Config } from "../../config/config.js";
import { fileDigest } from "../../host/file-digest.js";
import type { StepInputs } from "../../image/store/build-notes.js";
import { SourceLook } from "../../layer/source-look.js";
import { readSourceTree, type SourceEntry, type SourceTree } from "../../layer/source-tree.js";
import { castDigest, templatesOf } from "../../plan/cast.js";
import { describeStep, type StepOf, type WorkStep } from "../../plan/step.js";
import type { Setting } from "../../settings/merge.js";
import { shellCommand } from "../shell.js";

/** What steps of one build are made from, besides the layers below them. */
export type InputContext = {
  readonly config: Pick<Config, "build">;
  /** The script's folder. */
  readonly folder: string;
  /** Those of the script and its ancestors. */
  readonly settings: readonly Setting[];
  /** What templates were rendered to before. */
  readonly renderings: DigestMemory;
  /** Nothing in the image counts as younger, in seconds. */
  readonly youngest: number | undefined;
  /** Gets how the source of each COPY was when it was read. */
  readonly looks: WeakMap<WorkStep, SourceLook>;
  /** Digest of the archive that a FETCH gets. */
  readonly fetchDigest: (step: StepOf<"fetch">) => Promise<string>;
};

type Inputs = Pick<StepInputs, "parts"> & Partial<Pick<StepInputs, "causes">>;

/**
 * Finds all that a step's result depends on but for what lies below it. Values are there as digests, so that nothing of them is kept. What
 * the host gives to commands, such as proxies with their logins, is no part of it.
 */
export async function stepInputs(context: InputContext, step: WorkStep): Promise<StepInputs> {
  const find = finders[step.kind] as (context: InputContext, step: WorkStep) => Promise<Inputs>;
  const { parts, causes = {} } = await find(context, step);
  return { kind: step.kind, text: describeStep(step, context.folder), parts, causes };
}

const finders: { readonly [K in WorkStep["kind"]]: (context: InputContext, step: StepOf<K>) => Promise<Inputs> } = {
  copy: async ({ youngest, looks }, step) => {
    const look = new SourceLook();
    const tree = await readSourceTree(step.source, { youngest, look });
    looks.set(step, look);
    return { parts: { target: step.target, ...entryParts(tree) } };
  },
  cast: async ({ youngest, folder, renderings }, step) => {
    // Templates are files of the source; hard links are rendered once, by the name that is met first.
    const templates = new Map([...templatesOf(step.source)].map((template) => [pathKey(step.source, template.name), template]));
    const sources: Record<string, string> = {};
    const content = async (path: Buffer, size: number): Promise<string> => {
      const template = templates.get(path.toString("latin1"));
      if (!template) return "";
      sources[`template ${template.path.slice(folder.length)}`] = await fileDigest(path, size);
      return castDigest(step, template, folder, renderings);
    };
    const tree = await readSourceTree(step.source, { youngest, content });
    const variables = Object.entries(step.variables).map(([name, value]) => [`variable ${name}`, sha256(JSON.stringify(value) ?? "")]);
    return { parts: { target: step.target, ...entryParts(tree) }, causes: { ...sources, ...Object.fromEntries(variables) } };
  },
  fetch: async ({ fetchDigest }, step) => ({
    parts: { source: step.source, target: step.target, archive: await fetchDigest(step) },
    causes: { URL: step.archive.url },
  }),
  run: async ({ settings }, { argv }) => ({
    parts: {
      ...Object.fromEntries(argv.map((word, index) => [index === 0 ? "program" : `argument ${index}`, sha256(word)])),
      ...environment(settings),
    },
  }),
  sh: async ({ config, settings }, { script }) => ({
    parts: {
      script: sha256(script),
      "build/shell_invoke": sha256(JSON.stringify(shellCommand(config.build.shellInvoke, ""))),
      ...environment(settings),
    },
  }),
};

/** The environment that the script and its ancestors give to commands: of several values of a name the last one counts. */
function environment(settings: readonly Setting[]): Readonly<Record<string, string>> {
  const parts: Record<string, string> = {};
  for (const { name, value } of settings) {
    if (name === "WorkingDirectory") parts[name] = sha256(value);
    if (name !== "Environment") continue;
    const [variable = ""] = value.split("=", 1);
    parts[`Environment ${variable}`] = sha256(value);
  }
  return parts;
}

/** An entry in one line, its fields apart, for {@link entryOf}. */
function entryParts(tree: SourceTree): Readonly<Record<string, string>> {
  return Object.fromEntries([...tree].map(([name, entry]) => [`file ${name}`, JSON.stringify(entryFields.map((field) => entry[field]))]));
}

const entryFields = ["type", "mode", "time", "content", "attributes"] as const satisfies readonly (keyof SourceEntry)[];

/** A part that stands for a file of COPY or CAST: its path in the source, and what was read of it. */
export function entryOf(name: string, value: string): { readonly path: string; readonly entry: SourceEntry } | undefined {
  if (!name.startsWith("file ")) return undefined;
  const fields: unknown = JSON.parse(value);
  if (!Array.isArray(fields)) return undefined;
  const [type, mode, time, content, attributes] = fields.map(String);
  if (type === undefined || mode === undefined || time === undefined || content === undefined || attributes === undefined) return undefined;
  return { path: showName(name.slice("file ".length)), entry: { type, mode, time, content, attributes } };
}

function pathKey(source: string, name: string): string {
  const root = Buffer.from(source).toString("latin1");
  return name === "" ? root : `${root}/${name}`;
}
