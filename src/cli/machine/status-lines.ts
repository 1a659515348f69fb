import { shortDigest } from "../../base/digest.js";
import { oneLine } from "../../base/shell-quote.js";
import type { Newer } from "../../engine/machine/newer.js";
import type { MachineDetails } from "../../engine/machine/status.js";
import { type Item, section } from "../plan/plan.js";
import { showAge, showBytes, showElapsed } from "../quantity.js";
import type { Paint } from "../style.js";
import { cpuWords, memoryWords, networkWords } from "./words.js";

/** All of a machine for people. */
export function statusLines(machine: MachineDetails, paint: Paint, now: Date): readonly string[] {
  const { failure, settings, generations, lockedBy, trouble } = machine;
  const ago = (time: string): string => `${showAge((now.getTime() - Date.parse(time)) / 1000)} ago`.replace("just now ago", "just now");
  return [
    `${paint("bold", `machine ${machine.name}`)}  ${paint(machine.state === "running" ? "green" : "red", machine.state)}`,
    ...section(paint, "state", stateItems(machine)),
    ...(failure ? failureLines(failure, paint) : []),
    ...section(paint, "unit", [[machine.unit], ...(machine.script === undefined ? [] : [[`from ${machine.script}`] as const])]),
    ...section(paint, "image", imageItems(machine, ago)),
    ...section(
      paint,
      `layers, the top one first (${machine.layers.length})`,
      machine.layers.map(({ url, digest, newer }) => [url, [shortDigest(digest), ...newerWords(newer)].join(", ")]),
    ),
    ...section(
      paint,
      "settings",
      settings.map(({ name, value, origin }) => [`${name}=${oneLine(value)}`, origin]),
    ),
    ...section(paint, "writable layer", [[rootWords(machine)], [machine.root.folder]]),
    ...section(paint, "network", networkItems(machine)),
    ...section(paint, "takes", usageItems(machine)),
    ...section(
      paint,
      "generations",
      generations.map(({ number, time, image, digest, current }) => [
        `${number}  ${shortDigest(digest)}  ${ago(time)}${current ? "  (now)" : ""}`,
        image,
      ]),
    ),
    ...section(paint, "locked", lockedBy === undefined ? [] : [[`by ${lockedBy}`]]),
    ...section(
      paint,
      "trouble",
      trouble.map((text): Item => [text]),
    ),
  ];
}

function stateItems({ state, enabled, since, uptime, systemd, restarts }: MachineDetails): readonly Item[] {
  const own = `${systemd.active} (${systemd.sub})`;
  return [
    [`${state}${since === undefined ? "" : ` since ${since}`}${uptime === undefined ? "" : `, for ${showElapsed(uptime)}`}`, own],
    [enabled ? "starts with the host" : "does not start with the host"],
    ...(restarts ? [[`was started again ${restarts === 1 ? "once" : `${restarts} times`} after it had failed`] as const] : []),
  ];
}

function failureLines({ result, status, journal }: NonNullable<MachineDetails["failure"]>, paint: Paint): readonly string[] {
  const how = status === undefined ? result : `${result}, ${result === "exit-code" ? "exit code" : "status"} ${status}`;
  return section(paint, "last failure", [[how], ...journal.map((line): Item => [`│ ${line}`])]);
}

function imageItems({ image, newer }: MachineDetails, ago: (time: string) => string): readonly Item[] {
  if (!image) return [["not known"]];
  return [
    [image.url],
    [image.digest],
    ...(image.time === undefined ? [] : [[`in the store since ${image.time}, ${ago(image.time)}`] as const]),
    ...newerWords(newer).map((words): Item => [words]),
  ];
}

function newerWords(newer: Newer | undefined): readonly string[] {
  switch (newer?.answer) {
    case undefined:
      return [];
    case "yes":
      return ["its URL has a newer one"];
    case "no":
      return ["its URL has nothing newer"];
    case "unknown":
      return [`whether its URL has a newer one is not known: ${newer.why}`];
  }
}

function rootWords({ root: { state, bytes } }: MachineDetails): string {
  const size = bytes === undefined ? "" : `; ${showBytes(bytes)} now`;
  return `${state === "keep" ? "stays until the next update" : "is gone when the machine stops"}${size}`;
}

function networkItems({ network, addresses }: MachineDetails): readonly Item[] {
  if (network === undefined) return [];
  if (network === "host") return [["that of the host"]];
  return addresses.length > 0 ? [[networkWords({ network, addresses })]] : [["of its own, without an address that others could reach"]];
}

/** What the machine takes, beside what it may take. What is not known is left out. */
function usageItems({ usage, cpus, limits }: MachineDetails): readonly Item[] {
  const item = (name: string, taken: string, limit: string | undefined): readonly Item[] =>
    taken === "" ? [] : [[`${name} ${taken}`, limit === undefined ? "no limit" : `at most ${limit}`]];
  const now = cpus === undefined ? "" : `, now ${percentWords(cpus)}`;
  return [
    ...item("CPU", `${cpuWords(usage)}${now}`, limits.cpus === undefined ? undefined : percentWords(limits.cpus)),
    ...item("memory", memoryWords(usage), limits.memoryBytes === undefined ? undefined : showBytes(limits.memoryBytes)),
    ...item("tasks", usage.tasks?.toString() ?? "", limits.tasks?.toString()),
  ];
}

function percentWords(cpus: number): string {
  return `${(cpus * 100).toFixed(cpus < 0.1 ? 1 : 0)} % of a CPU`;
}
