import { unitArgument } from "./quote.js";
import type { Machine } from "./unit.js";

/** What {@link brokenRules} has to know of a machine. */
type Ruled = Pick<Machine, "spec" | "paths" | "chain">;

/** What the unit of a machine has to do; `message` says what is missing, with what a template writes for it. */
type Rule = { readonly message: string; readonly holds: (unit: Directives, machine: Ruled, text: string) => boolean };

/** A unit's directives in the order written, `KEY` and what follows the `=`. */
type Directives = readonly { readonly key: string; readonly value: string }[];

const rules: readonly Rule[] = [
  {
    message: "one ExecStart= has to run the machine: ExecStart={{ nspawn | join(' ') }}",
    holds: (unit) => valuesOf(unit, "ExecStart").length === 1,
  },
  {
    message: "ExecStart= has to run systemd-nspawn with all of its arguments: ExecStart={{ nspawn | join(' ') }}",
    holds: (unit, { spec, paths }) =>
      valuesOf(unit, "ExecStart").every((line) =>
        ["--keep-unit", `--machine=${spec.name}`, written(paths.root)].every((part) => line.includes(part)),
      ),
  },
  {
    message: "nothing mounts the root: ExecStartPre={{ command }} for each command in mount",
    holds: (unit, { paths }) => valuesOf(unit, "ExecStartPre").some((line) => line.includes(written(paths.root))),
  },
  {
    message: "nothing unmounts the root: ExecStopPost=-{{ command }} for each command in release",
    holds: (unit, { paths }) => valuesOf(unit, "ExecStopPost").some((line) => line.includes(written(paths.root))),
  },
  {
    message: "layers are mounted by names relative to a folder, which is missing: WorkingDirectory={{ layers_folder }}",
    holds: (unit) =>
      valuesOf(unit, "WorkingDirectory").length > 0 ||
      !valuesOf(unit, "ExecStartPre").some((line) => /lowerdir=[0-9a-f]{16}[:,]/.test(line)),
  },
  {
    message: "it does not name all of its layers, which prune would take away then: {{ layer.id }} for each layer in layers",
    holds: (_, { chain }, text) => chain.every(({ layer }) => text.includes(layer.id)),
  },
];

/** What is wrong with a unit that a template has made, in words for its author; empty for one that can be a machine. */
export function brokenRules(text: string, machine: Ruled): readonly string[] {
  const unit = directivesOf(text);
  return rules.filter(({ holds }) => !holds(unit, machine, text)).map(({ message }) => message);
}

/** Reads a unit as systemd.syntax(7) says: comments, and lines that go on after a backslash. */
function directivesOf(text: string): Directives {
  const lines = text
    .split("\n")
    .filter((line) => !/^\s*[#;]/.test(line))
    .join("\n")
    .replace(/\\\n/g, " ")
    .split("\n");
  return lines.flatMap((line) => {
    const [, key, value] = /^\s*([A-Za-z0-9]+)\s*=(.*)$/s.exec(line) ?? [];
    return key !== undefined && value !== undefined ? [{ key, value }] : [];
  });
}

/** A path as it is within a quoted argument. */
function written(path: string): string {
  return unitArgument(path).replace(/^"|"$/g, "");
}

function valuesOf(unit: Directives, key: string): readonly string[] {
  return unit.filter((directive) => directive.key === key && directive.value.trim() !== "").map(({ value }) => value);
}
