import type { MachineRow, MachineUsage } from "../../engine/machine/row.js";
import { showBytes, showElapsed, showSeconds } from "../quantity.js";

/** The addresses of a machine in one cell. */
export function networkWords({ network, addresses }: Pick<MachineRow, "network" | "addresses">): string {
  return network === "host" ? "host" : addresses.join(" ");
}

/** CPU time: `0.35 s`, `3 h 05 min`. */
export function cpuWords({ cpuSeconds }: Pick<MachineUsage, "cpuSeconds">): string {
  if (cpuSeconds === undefined) return "";
  return cpuSeconds < 60 ? showSeconds(cpuSeconds) : showElapsed(cpuSeconds);
}

/** Memory, with a mark where it is no more than about right. */
export function memoryWords({ memoryBytes, by }: Pick<MachineUsage, "memoryBytes" | "by">): string {
  if (memoryBytes === undefined) return "";
  return `${by === "processes" ? "~" : ""}${showBytes(memoryBytes)}`;
}
