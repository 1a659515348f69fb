import type { Subcommand } from "../subcommand.js";
import { list } from "./list.js";
import { logs } from "./logs.js";
import { status } from "./status.js";

/** What comes after `nspawn machine`, in the order of its help. */
export const machineCommands: readonly Subcommand[] = [list, status, logs];
