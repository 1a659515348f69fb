import type { Argv } from "../../host/host.js";
import { selectMachines } from "./select.js";

/** Which part of a machine's journal is wanted. */
export type LogOptions = {
  /** Whether to go on with what comes later. */
  readonly follow?: boolean | undefined;
  /** How many lines, the last ones. */
  readonly lines?: number | undefined;
  /** A time as journalctl(1) takes it: `yesterday`, `2026-11-24 08:00`, `-1h`. */
  readonly since?: string | undefined;
  /** Each entry with all of its fields, as a JSON object a line. */
  readonly json?: boolean | undefined;
};

/**
 * The command that shows the journal of a machine's unit: what systemd and systemd-nspawn say of it, and what it writes to its console.
 * @throws what {@link selectMachines} throws
 */
export function logsCommand(name: string, { follow, lines, since, json }: LogOptions): Argv {
  selectMachines([name]);
  return [
    "journalctl",
    "--no-pager",
    `--unit=${name}.service`,
    ...(follow ? ["--follow"] : []),
    ...(lines === undefined ? [] : [`--lines=${lines}`]),
    ...(since === undefined ? [] : [`--since=${since}`]),
    ...(json ? ["--output=json"] : []),
  ];
}
