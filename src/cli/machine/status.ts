import type { MachineDetails } from "../../engine/machine/status.js";
import type { CommonOptions } from "../common-options.js";
import type { Shown, Subcommand } from "../subcommand.js";

export const status: Subcommand<CommonOptions & { readonly check?: boolean }> = {
  name: "status",
  arguments: "<machine...>",
  summary: "all that is known of machines",
  description: `Shows all that is known of machines: their state, why they failed, their image
and its layers, settings with their origins, what they take and may take, the
versions that they can go back to, and who works on them now. It needs no root,
but the size of the writable layer, the journal and locks are for root to see.
With --json it is an array of objects.

Exit code: 0 if all of them run, 1 if one does not, or is not there.`,
  examples: `  nspawn machine status web
  nspawn machine status web --check
  nspawn machine status web db --json | jq '.[] | {name, state, cpus}'`,
  describe: (command) => command.option("--check", "ask the URLs of all layers whether they have other content by now"),
  deed: async (names, { check }) => ({
    kind: "look",
    look: async (context) => {
      const [{ machineDetails }, { statusLines }] = await Promise.all([
        import("../../engine/machine/status.js"),
        import("./status-lines.js"),
      ]);
      return shownStatus(await machineDetails(context, names, { check }), statusLines);
    },
  }),
};

/** @param lines those of one machine; they are loaded where they are needed */
export function shownStatus(
  machines: readonly MachineDetails[],
  lines: (machine: MachineDetails, paint: Parameters<Shown["lines"]>[0], now: Date) => readonly string[],
): Shown {
  return {
    lines: (paint) => machines.flatMap((machine, at) => [...(at > 0 ? [""] : []), ...lines(machine, paint, new Date())]),
    data: machines,
    exitCode: machines.every(({ state }) => state === "running") ? undefined : 1,
  };
}
