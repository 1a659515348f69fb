import type { Shown } from "../host/systemd.js";

/**
 * What a machine is at: `starting` until systemd-nspawn (or the guest, with NotifyReady) says that it is ready; `restarting`: waiting to be
 * started again after a failure; `stopped`: by intent, or since its command has ended well; `broken`: systemd cannot load its unit.
 */
export type MachineState = "running" | "starting" | "restarting" | "stopping" | "stopped" | "failed" | "broken";

/** Properties of a unit that {@link runStateOf} needs; see org.freedesktop.systemd1(5). */
export const runProperties = [
  "LoadState",
  "ActiveState",
  "SubState",
  "UnitFileState",
  "ControlGroup",
  "ActiveEnterTimestamp",
  "ActiveEnterTimestampMonotonic",
  "StateChangeTimestamp",
  "CPUUsageNSec",
  "MemoryCurrent",
  "TasksCurrent",
] as const;

/** A machine's unit as systemd sees it. What systemd does not count, or not here, is undefined. */
export type RunState = {
  readonly state: MachineState;
  /** Whether it starts with the host. */
  readonly enabled: boolean;
  /** When it came into this state, as in ISO 8601. */
  readonly since: string | undefined;
  /** Seconds that it has been running. */
  readonly uptime: number | undefined;
  /** Seconds of CPU time since it was started, of all CPUs. */
  readonly cpu: number | undefined;
  /** Bytes, with the cache of its files. */
  readonly memory: number | undefined;
  /** Processes and threads. */
  readonly tasks: number | undefined;
  /** Below the root of the control groups: `/machine.slice/web.service`. */
  readonly controlGroup: string | undefined;
};

/** Seconds of CLOCK_MONOTONIC, which no change of the clock moves; systemd gives times in it, too. */
export function monotonicNow(): number {
  return Number(process.hrtime.bigint()) / 1e9;
}

/** @param now seconds of {@link monotonicNow}, after `shown` was asked for */
export function runStateOf(shown: Shown<(typeof runProperties)[number]>, now: number): RunState {
  const state = stateOf(shown);
  const isUp = state === "running";
  const entered = isUp ? numberOf(shown.ActiveEnterTimestampMonotonic) : undefined;
  const cpu = numberOf(shown.CPUUsageNSec);
  return {
    state,
    enabled: shown.UnitFileState === "enabled",
    since: timeOf(isUp ? shown.ActiveEnterTimestamp : shown.StateChangeTimestamp),
    uptime: entered ? Math.max(0, now - entered / 1e6) : undefined,
    cpu: cpu === undefined ? undefined : cpu / 1e9,
    memory: numberOf(shown.MemoryCurrent),
    tasks: numberOf(shown.TasksCurrent),
    controlGroup: shown.ControlGroup || undefined,
  };
}

/** A time such as `Tue 2026-11-24 03:51:07.231415 UTC` as in ISO 8601. */
function timeOf(text: string): string | undefined {
  const [, day, time] = /^\S+ (\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d\.\d{3})\d* UTC$/.exec(text) ?? [];
  return day === undefined ? undefined : `${day}T${time}Z`;
}

/** A number as systemctl shows it; undefined for `[not set]`, `infinity` and the largest number of 64 bits, which means either. */
export function numberOf(text: string): number | undefined {
  return /^\d+$/.test(text) && text !== "18446744073709551615" ? Number(text) : undefined;
}

/** Seconds of a time span as systemctl shows it, such as `1min 30s` or `333.333ms`; undefined for `infinity` and whatever is none. */
export function secondsOf(text: string): number | undefined {
  const parts = text.split(" ").map((part) => /^(\d+(?:\.\d+)?)(us|ms|s|min|h|d)$/.exec(part));
  const seconds = parts.map((part) => Number(part?.[1]) * (secondsIn[part?.[2] ?? ""] ?? Number.NaN));
  const sum = seconds.reduce((total, one) => total + one, 0);
  return Number.isNaN(sum) ? undefined : sum;
}

const secondsIn: Readonly<Record<string, number>> = { us: 1e-6, ms: 1e-3, s: 1, min: 60, h: 3600, d: 86_400 };

function stateOf({ LoadState, ActiveState, SubState }: Shown<"LoadState" | "ActiveState" | "SubState">): MachineState {
  if (LoadState !== "loaded") return "broken";
  switch (ActiveState) {
    case "active":
    case "reloading":
      return "running";
    case "activating":
      return SubState === "auto-restart" ? "restarting" : "starting";
    case "deactivating":
      return "stopping";
    case "failed":
      return "failed";
    default:
      return "stopped";
  }
}
