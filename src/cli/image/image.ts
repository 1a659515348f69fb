import type { Subcommand } from "../subcommand.js";
import { graph } from "./graph.js";
import { inspect } from "./inspect.js";
import { list } from "./list.js";
import { prune } from "./prune.js";
import { pull } from "./pull.js";
import { remove } from "./remove.js";

/** What comes after `nspawn image`, in the order of its help. */
export const imageCommands: readonly Subcommand[] = [list, inspect, graph, pull, remove, prune];
