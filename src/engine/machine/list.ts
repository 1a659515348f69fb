import { type Shown, Systemd } from "../../host/systemd.js";
import { ImageStore } from "../../image/store.js";
import { groupCounter } from "../../machine/group-usage.js";
import { findLeader, type RunningMachine, runningMachines } from "../../machine/leader.js";
import { machinePaths } from "../../machine/paths.js";
import { monotonicNow, runProperties } from "../../machine/run-state.js";
import { findUnits, type UnitFile } from "../../machine/unit-files.js";
import { readNotes } from "../../machine/unit-notes.js";
import type { EngineContext } from "../context.js";
import { arrivalTimes, imageOf } from "./images.js";
import { askNewer } from "./newer.js";
import { type MachineRow, machineRow } from "./row.js";

/** `check`: whether to ask the images' URLs if they have other content by now; `all`: machines that others have started, too. */
export type ListOptions = { readonly check?: boolean | undefined; readonly all?: boolean | undefined };

/**
 * The machines of ours on this host, in the order of their names, and behind them those of others that run. It needs no rights, and starts
 * one program, however many there are.
 * @throws NspawnError where systemd does not run
 */
export async function listMachines(context: EngineContext, { check = false, all = false }: ListOptions): Promise<readonly MachineRow[]> {
  const systemd = new Systemd(context.host);
  const units = findUnits();
  const running = runningMachines();
  const others = all ? othersIn(running, units) : [];
  const services = [...units.map(({ name }) => serviceOf(name)), ...others.flatMap(({ unit }) => unit ?? [])];
  const [shown, store, used] = await Promise.all([
    systemd.show(services, runProperties),
    ImageStore.view(context.config.storage, context.host, context.report),
    Promise.all(units.map(({ name, text }) => imageOf(readNotes(text), machinePaths(name, context.config)))),
  ]);
  const images = used.flatMap((image) => image ?? []);
  const [times, newer] = await Promise.all([
    arrivalTimes(
      store,
      images.map(({ digest }) => digest),
    ),
    check ? askNewer(context, store, images) : undefined,
  ]);
  const byService = new Map(services.map((service, at) => [service, shown[at] ?? noUnit]));
  const common = { now: monotonicNow(), countGroup: groupCounter() };
  return [
    ...units.map(({ name }, at) => {
      const service = serviceOf(name);
      const [using, properties] = [used[at], byService.get(service) ?? noUnit];
      const image = using && { ...using, time: times.get(using.digest) };
      const leader = findLeader(running, service)?.pid;
      return machineRow({ name, ours: true, image, newer: image && newer?.(image), shown: properties, leader, ...common });
    }),
    ...others.map(({ name, unit = "", leader: { pid } }) => {
      const properties = byService.get(unit) ?? noUnit;
      return machineRow({ name, ours: false, image: undefined, newer: undefined, shown: properties, leader: pid, ...common });
    }),
  ];
}

function serviceOf(name: string): string {
  return `${name}.service`;
}

function othersIn(running: readonly RunningMachine[], units: readonly UnitFile[]): readonly RunningMachine[] {
  const own = new Set(units.map(({ name }) => serviceOf(name)));
  return running.filter(({ unit }) => unit === undefined || !own.has(unit)).sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** A machine that somebody has started by hand, outside of any unit. */
const noUnit: Shown<(typeof runProperties)[number]> = {
  LoadState: "loaded",
  ActiveState: "active",
  SubState: "",
  UnitFileState: "",
  ControlGroup: "",
  ActiveEnterTimestamp: "",
  ActiveEnterTimestampMonotonic: "",
  StateChangeTimestamp: "",
  CPUUsageNSec: "",
  MemoryCurrent: "",
  TasksCurrent: "",
};
