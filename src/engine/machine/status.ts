import { setTimeout } from "node:timers/promises";
import { CommandError } from "../../base/errors.js";
import type { Host } from "../../host/host.js";
import { type Shown, Systemd } from "../../host/systemd.js";
import { folderBytes } from "../../image/store/folder-bytes.js";
import { ImageStore } from "../../image/store.js";
import { currentOf, type Generation, listGenerations } from "../../machine/generations.js";
import { type CountGroup, groupCounter } from "../../machine/group-usage.js";
import { findLeader, runningMachines } from "../../machine/leader.js";
import { machinePaths, withLayer } from "../../machine/paths.js";
import { monotonicNow, numberOf, runProperties, secondsOf } from "../../machine/run-state.js";
import type { UnitFile } from "../../machine/unit-files.js";
import { readNotes, type UnitNotes } from "../../machine/unit-notes.js";
import type { EngineContext } from "../context.js";
import { arrivalTimes, imageOf } from "./images.js";
import { askNewer, type Newer, type NewerAnswers } from "./newer.js";
import { type MachineRow, machineRow } from "./row.js";
import { selectMachines } from "./select.js";

/** All that is known of a machine: its row, and what takes longer to find out. What is not known, or does not apply, is undefined. */
export type MachineDetails = MachineRow & {
  /** Paths of the unit, and of the setup script that it was made from. */
  readonly unit: string;
  readonly script: string | undefined;
  /** What systemd says of the unit, in its own words. */
  readonly systemd: { readonly load: string; readonly active: string; readonly sub: string; readonly result: string };
  /** How the machine ended last, if it was no success, with the last lines of its journal. */
  readonly failure: MachineFailure | undefined;
  /** How often systemd has started it again by itself. */
  readonly restarts: number | undefined;
  /** CPUs that it uses now: 0.5 is half of one. */
  readonly cpus: number | undefined;
  readonly limits: MachineLimits;
  /** The top one first. */
  readonly layers: readonly {
    readonly url: string;
    readonly digest: string;
    readonly time: string | undefined;
    readonly newer: Newer | undefined;
  }[];
  readonly settings: UnitNotes["settings"];
  /** Its writable layer: whether it stays when the machine stops, its folder, and bytes on disk. */
  readonly root: { readonly state: "keep" | "volatile"; readonly folder: string; readonly bytes: number | undefined };
  /** The oldest first; `current`: the one that is installed. */
  readonly generations: readonly (Pick<Generation, "number" | "time" | "image" | "digest"> & { readonly current: boolean })[];
  /** Who works on the machine at this moment: `process 1234 (machine web)`. Known to root only. */
  readonly lockedBy: string | undefined;
  /** What is wrong with it, or could not be found out. */
  readonly trouble: readonly string[];
};

/** `result`: as systemd names it, such as `exit-code`; `status`: the exit code, or the number of the signal. */
type MachineFailure = { readonly result: string; readonly status: number | undefined; readonly journal: readonly string[] };

/** What a machine may take; undefined: as much as there is. `cpus`: 0.5 is half of one. */
type MachineLimits = {
  readonly cpus: number | undefined;
  readonly memoryBytes: number | undefined;
  readonly tasks: number | undefined;
};

const properties = [
  ...runProperties,
  "Result",
  "ExecMainStatus",
  "NRestarts",
  "NeedDaemonReload",
  "CPUQuotaPerSecUSec",
  "MemoryMax",
  "TasksMax",
] as const;

type UnitShown = Shown<(typeof properties)[number]>;

/** Milliseconds over which the use of CPUs is measured. */
const sampleTime = 250;

/**
 * Finds out all about machines, in the order of their names given. It needs no rights; what needs them is then among what is not known.
 * @param options.check whether to ask the images' URLs if they have other content by now
 * @throws what {@link selectMachines} throws; NspawnError where systemd does not run
 */
export async function machineDetails(
  context: EngineContext,
  names: readonly string[],
  { check = false }: { readonly check?: boolean | undefined },
): Promise<readonly MachineDetails[]> {
  const systemd = new Systemd(context.host);
  const units = selectMachines(names);
  const store = await ImageStore.view(context.config.storage, context.host, context.report);
  const services = units.map(({ name }) => `${name}.service`);
  const layers = units.flatMap(({ text }) => readNotes(text).layers);
  const running = runningMachines();
  const countGroup = groupCounter();
  const [samples, newer] = await Promise.all([sample(systemd, services), check ? askNewer(context, store, layers) : undefined]);
  return Promise.all(
    units.flatMap((unit, at) => {
      const seen = samples[at];
      const leader = findLeader(running, services[at] ?? "")?.pid;
      return seen ? [detailsOf(context, store, { unit, ...seen, leader, newer, countGroup })] : [];
    }),
  );
}

type Sample = { readonly shown: UnitShown; readonly cpus: number };
type Seen = Sample & {
  readonly unit: UnitFile;
  readonly leader: number | undefined;
  readonly newer: NewerAnswers | undefined;
  readonly countGroup: CountGroup;
};

/** What systemd says of units, and the CPUs that they use meanwhile. */
async function sample(systemd: Systemd, services: readonly string[]): Promise<readonly Sample[]> {
  const first = await systemd.show(services, properties);
  const began = performance.now();
  await setTimeout(sampleTime);
  const second = await systemd.show(services, ["CPUUsageNSec"]);
  const seconds = (performance.now() - began) / 1000;
  return first.map((shown, at) => {
    const used = (numberOf(second[at]?.CPUUsageNSec ?? "") ?? 0) - (numberOf(shown.CPUUsageNSec) ?? 0);
    return { shown, cpus: Math.max(0, used / 1e9 / seconds) };
  });
}

async function detailsOf(
  context: EngineContext,
  store: ImageStore,
  { unit, shown, cpus, leader, newer, countGroup }: Seen,
): Promise<MachineDetails> {
  const { host, config } = context;
  const notes = readNotes(unit.text);
  const paths = machinePaths(unit.name, config);
  const [generations, lockedBy] = await Promise.all([listGenerations(paths), store.lockHolder(`machine ${unit.name}`)]);
  const current = currentOf(generations);
  const { runtime } = withLayer(paths, current?.layer ?? 1);
  const [used, bytes, failure] = await Promise.all([
    imageOf(notes, paths),
    process.getuid?.() === 0 ? folderBytes(host, runtime) : undefined,
    failureOf(host, unit.name, shown),
  ]);
  const times = await arrivalTimes(
    store,
    [...notes.layers, ...(used ? [used] : [])].map(({ digest }) => digest),
  );
  const image = used && { ...used, time: times.get(used.digest) };
  const row = machineRow({
    name: unit.name,
    ours: true,
    image,
    newer: image && newer?.(image),
    shown,
    leader,
    now: monotonicNow(),
    countGroup,
  });
  return {
    ...row,
    unit: unit.path,
    script: notes.script,
    systemd: { load: shown.LoadState, active: shown.ActiveState, sub: shown.SubState, result: shown.Result },
    failure,
    restarts: numberOf(shown.NRestarts),
    cpus: row.state === "running" && row.usage.cpuSeconds !== undefined ? cpus : undefined,
    limits: {
      cpus: secondsOf(shown.CPUQuotaPerSecUSec),
      memoryBytes: numberOf(shown.MemoryMax),
      tasks: numberOf(shown.TasksMax),
    },
    layers: notes.layers.map(({ url, digest }) => ({ url, digest, time: times.get(digest), newer: newer?.({ url, digest }) })),
    settings: notes.settings,
    root: { state: notes.state, folder: runtime, bytes },
    generations: generations.map(({ number, time, image: url, digest }) => ({
      number,
      time,
      image: url,
      digest,
      current: number === current?.number,
    })),
    lockedBy,
    trouble: [
      ...(shown.LoadState === "loaded" ? [] : [`systemd cannot load the unit (${shown.LoadState}): systemctl status ${unit.name}.service`]),
      ...(shown.NeedDaemonReload === "yes" ? ["the unit has changed since systemd read it: systemctl daemon-reload"] : []),
      ...(notes.layers.length > 0 ? [] : ["the unit's own template does not tell its layers and settings"]),
    ],
  };
}

async function failureOf(host: Host, name: string, { Result, ExecMainStatus }: UnitShown): Promise<MachineFailure | undefined> {
  if (Result === "success" || Result === "") return undefined;
  const argv = ["journalctl", `--unit=${name}.service`, "--lines=10", "--no-pager", "--output=cat", "--quiet"] as const;
  const { stdout } = await host.run({ argv }).catch((error: unknown) => {
    if (!(error instanceof CommandError)) throw error;
    return { stdout: "" };
  });
  return { result: Result, status: numberOf(ExecMainStatus), journal: stdout.trimEnd().split("\n").filter(Boolean) };
}
