import type { CommonOptions } from "../common-options.js";
import type { Subcommand } from "../subcommand.js";

export const list: Subcommand<CommonOptions & { readonly check?: boolean; readonly all?: boolean }> = {
  name: "list",
  summary: "the machines of this host",
  description: `Lists the machines that nspawn-setup has made on this host: whether they run and
start with the host, the image that they run, how long ago that version of it
came into the store, their addresses (host: they share the host's network), how
long they have been running, and what they take: CPU time since their start,
memory, processes and threads. A memory with a ~ is summed up over processes,
where the kernel does not count it. A narrow terminal shows fewer columns.`,
  examples: `  nspawn machine list
  nspawn machine list --check
  nspawn machine list --json | jq -r '.[] | select(.state != "running") | .name'`,
  describe: (command) =>
    command
      .option("--check", "ask the images' URLs whether they have other content by now")
      .option("--all", "machines that others have started with systemd-nspawn, too"),
  deed: async (_, { check, all }) => ({
    kind: "look",
    look: async (context) => {
      const [{ listMachines }, { machineTable }] = await Promise.all([
        import("../../engine/machine/list.js"),
        import("./machine-table.js"),
      ]);
      const rows = await listMachines(context, { check, all });
      return { lines: (paint, columns) => machineTable(rows, paint, columns, new Date()), data: rows };
    },
  }),
};
