import type { Shown } from "../../host/systemd.js";
import { networkOf } from "../../machine/addresses.js";
import type { CountGroup } from "../../machine/group-usage.js";
import { type MachineState, type runProperties, runStateOf } from "../../machine/run-state.js";
import type { Newer } from "./newer.js";

/** A machine of ours at one moment. What is not known, or does not apply, is undefined. */
export type MachineRow = {
  readonly name: string;
  /** Whether nspawn-setup has made it. */
  readonly ours: boolean;
  readonly state: MachineState;
  /** Whether it starts with the host. */
  readonly enabled: boolean;
  /** When it came into its state, as in ISO 8601. */
  readonly since: string | undefined;
  /** Seconds that it has been running. */
  readonly uptime: number | undefined;
  /** The image whose layer is the top of its root. `time`: when that version of it came into the store, as in ISO 8601. */
  readonly image: { readonly url: string; readonly digest: string; readonly time: string | undefined } | undefined;
  /** Whether the image's URL has other content by now; undefined if that was not asked for. */
  readonly newer: Newer | undefined;
  /** `host`: it shares the host's. */
  readonly network: "host" | "own" | undefined;
  /** Of a network of its own: IPv4 first, without those that hold on the host or the link only. */
  readonly addresses: readonly string[];
  readonly usage: MachineUsage;
};

/** What a machine takes. `by`: counted by the kernel for its control group, or where that is not done, summed up over its processes. */
export type MachineUsage = {
  /** CPU time since its start, of all CPUs. */
  readonly cpuSeconds: number | undefined;
  /** With the cache of its files, if counted for the group; else what is resident, those parts that processes share for each of them. */
  readonly memoryBytes: number | undefined;
  /** Processes and threads. */
  readonly tasks: number | undefined;
  readonly by: "group" | "processes";
};

/** What a row is made of. `leader`: its first process. */
export type RowSources = Pick<MachineRow, "name" | "ours" | "image" | "newer"> & {
  readonly shown: Shown<(typeof runProperties)[number]>;
  readonly leader: number | undefined;
  /** By {@link monotonicNow}. */
  readonly now: number;
  readonly countGroup: CountGroup;
};

export function machineRow({ name, ours, image, newer, shown, leader, now, countGroup }: RowSources): MachineRow {
  const { cpu, memory, tasks, controlGroup, ...run } = runStateOf(shown, now);
  const network = leader === undefined ? undefined : networkOf(leader);
  const isCounted = memory !== undefined && tasks !== undefined;
  const counted = isCounted || controlGroup === undefined ? undefined : countGroup(controlGroup);
  return {
    name,
    ours,
    ...run,
    image,
    newer,
    network: network?.kind,
    addresses: network?.kind === "own" ? network.addresses : [],
    usage: { cpuSeconds: cpu, memoryBytes: memory ?? counted?.memory, tasks: tasks ?? counted?.tasks, by: counted ? "processes" : "group" },
  };
}
