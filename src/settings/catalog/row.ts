import type { Kind } from "../kinds/kind.js";

/**
 * How values become options:
 * - `flag`: the option stands alone for true and is left out for false (there is no "no" form)
 * - `value`: `--option=VALUE`
 * - `each`: a list, one option for each item
 * - `separate`: `-o VALUE` as two arguments, where the long name changed over the versions
 * - `positional`: a list of arguments after all options
 * - `directive`, `directives`: no option, but a line of the unit's [Service] of the setting's own name, or lines that are `NAME=value` each:
 *   the options are for the scope that systemd-nspawn makes, and the unit of a machine is its scope
 */
export type Form = "flag" | "value" | "each" | "separate" | "positional" | "directive" | "directives";

/** Whether an image needs a grant for a setting: "allow-list" means that it may deny (`~…`) without one. */
export type Privilege = "no" | "yes" | "allow-list";

/** One setting, without the section that it is in. */
export type Row = {
  /** The option of systemd-nspawn(1), such as `--boot`; for rlimits with the limit's name, such as `--rlimit=RLIMIT_CPU`. */
  readonly option: string;
  /** The version of systemd that brought the option. */
  readonly since: number;
  readonly form: Form;
  readonly privileged: Privilege;
  readonly kind: Kind;
  /** The setting that a value with `readOnly: true` belongs to. */
  readonly readOnlyName?: string;
  /** What the setting does, in a sentence or two. */
  readonly doc: string;
};

/** The columns of a row that are short. */
export function row(option: string, since: number, form: Form, privileged: Privilege, kind: Kind): Omit<Row, "doc"> {
  return { option, since, form, privileged, kind };
}
