import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { numberOf, runProperties, runStateOf, secondsOf } from "../../src/machine/run-state.js";

const now = 5000;

function stateOf(fields: Partial<Record<(typeof runProperties)[number], string>>) {
  const nothing = Object.fromEntries(runProperties.map((name) => [name, ""])) as Record<(typeof runProperties)[number], string>;
  return runStateOf({ ...nothing, LoadState: "loaded", ActiveState: "active", SubState: "running", ...fields }, now);
}

test("a machine that runs, with all that systemd counts", () => {
  expect(
    stateOf({
      UnitFileState: "enabled",
      ControlGroup: "/machine.slice/web.service",
      ActiveEnterTimestamp: "Tue 2026-11-24 11:59:00.000123 UTC",
      ActiveEnterTimestampMonotonic: "4940000000",
      StateChangeTimestamp: "Tue 2026-11-24 11:58:00.000000 UTC",
      CPUUsageNSec: "1500000000",
      MemoryCurrent: "4096",
      TasksCurrent: "3",
    }),
  ).toEqual({
    state: "running",
    enabled: true,
    since: "2026-11-24T11:59:00.000Z",
    uptime: 60,
    cpu: 1.5,
    memory: 4096,
    tasks: 3,
    controlGroup: "/machine.slice/web.service",
  });
});

test("what systemd does not count is not there", () => {
  expect(stateOf({ CPUUsageNSec: "[not set]", MemoryCurrent: "18446744073709551615", TasksCurrent: "" })).toMatchObject({
    enabled: false,
    since: undefined,
    uptime: undefined,
    cpu: undefined,
    memory: undefined,
    tasks: undefined,
    controlGroup: undefined,
  });
});

test.each([
  ["loaded", "active", "running", "running"],
  ["loaded", "reloading", "reload", "running"],
  ["loaded", "activating", "start-pre", "starting"],
  ["loaded", "activating", "auto-restart", "restarting"],
  ["loaded", "deactivating", "stop-sigterm", "stopping"],
  ["loaded", "inactive", "dead", "stopped"],
  ["loaded", "failed", "failed", "failed"],
  ["bad-setting", "inactive", "dead", "broken"],
  ["not-found", "inactive", "dead", "broken"],
  ["masked", "inactive", "dead", "broken"],
])("%s, %s, %s is %s", (LoadState, ActiveState, SubState, state) => {
  const found = stateOf({
    LoadState,
    ActiveState,
    SubState,
    ActiveEnterTimestampMonotonic: "1",
    StateChangeTimestamp: "Tue 2026-11-24 11:43:20.000000 UTC",
  });
  expect(found.state).toBe(state);
  // A time up has only what is up; the others have the time of their last change.
  if (state === "running") expect(found.uptime).toBeGreaterThan(4000);
  else expect(found).toMatchObject({ uptime: undefined, since: "2026-11-24T11:43:20.000Z" });
});

describe("texts of systemctl", () => {
  test("numbers are read as they are, and whatever stands for none is none", () => {
    fc.assert(fc.property(fc.maxSafeNat(), (number) => void expect(numberOf(String(number))).toBe(number)));
    for (const text of ["", "[not set]", "infinity", "18446744073709551615", "-1", "1.5", "1 "]) expect(numberOf(text)).toBeUndefined();
  });

  test.each([
    ["500ms", 0.5],
    ["333.333ms", 0.333333],
    ["1.500000s", 1.5],
    ["1min 30s", 90],
    ["2h", 7200],
    ["1d 1h", 90_000],
    ["10us", 1e-5],
  ])("the span %s is %d s", (text, seconds) => {
    expect(secondsOf(text)).toBeCloseTo(seconds, 9);
  });

  test("what is no span of time is none", () => {
    for (const text of ["", "infinity", "5", "5 s", "s", "1min x"]) expect(secondsOf(text)).toBeUndefined();
  });
});
