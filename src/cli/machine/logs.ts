import { InvalidArgumentError } from "commander";
import type { CommonOptions } from "../common-options.js";
import type { Subcommand } from "../subcommand.js";

type Options = CommonOptions & { readonly follow?: boolean; readonly lines?: number; readonly since?: string };

export const logs: Subcommand<Options> = {
  name: "logs",
  arguments: "<machine>",
  summary: "what a machine has written",
  description: `Shows the journal of a machine's unit by journalctl(1): what systemd says of it,
and what the machine writes to its console. The exit code is that of journalctl.
Users who may not read the journal of the system see nothing of it.`,
  examples: `  nspawn machine logs web --lines 20
  nspawn machine logs web --follow
  nspawn machine logs web --since -1h --json | jq -r .MESSAGE`,
  describe: (command) =>
    command
      .option("--follow", "go on with what comes later, until Ctrl-C")
      .option("--lines <number>", "only the last lines", countOf)
      .option("--since <time>", "only from this time on, as journalctl takes it: yesterday, '2026-11-24 08:00', -1h"),
  deed: async ([name = ""], options) => ({
    kind: "program",
    command: async () => {
      const { logsCommand } = await import("../../engine/machine/logs.js");
      return logsCommand(name, options);
    },
  }),
};

function countOf(word: string): number {
  if (!/^\d{1,9}$/.test(word)) throw new InvalidArgumentError("It takes a whole number.");
  return Number(word);
}
