import type { MachineRow } from "../../src/engine/machine/row.js";
import { digest, url } from "./inventory.js";

/** A machine that runs, with some fields of its own. */
export function machineRow(fields: Partial<MachineRow> = {}): MachineRow {
  return {
    name: "web",
    ours: true,
    state: "running",
    enabled: true,
    since: "2026-11-24T10:00:00.000Z",
    uptime: 7200,
    image: { url: url("web"), digest: digest("web"), time: "2026-11-21T12:00:00.000Z" },
    newer: undefined,
    network: "own",
    addresses: ["10.0.0.2", "fd00::2"],
    usage: { cpuSeconds: 0.351, memoryBytes: 12_345_678, tasks: 4, by: "group" },
    ...fields,
  };
}
