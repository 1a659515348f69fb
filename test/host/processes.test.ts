import fc from "fast-check";
import { expect, test } from "vitest";
import { findProcess, isRunning, listProcesses, parseStat, processorTime, statusField } from "../../src/host/processes.js";

const fields = "S 1 76 75 0 -1 4194560 100 0 0 0 1 2 0 0 20 0 1 0 2450946 2387968 347";

test("a line of /proc/PID/stat is read whatever the name of the program is", () => {
  fc.assert(
    fc.property(fc.string(), (name) => {
      expect(parseStat(`77 (${name}) ${fields}\n`)).toEqual({ pid: 77, name, parent: 1, group: 76, session: 75, started: "2450946" });
    }),
  );
});

test("what has ended, or is no such line, is no process", () => {
  expect(parseStat(`77 (x) Z${fields.slice(1)}`)).toBeUndefined();
  for (const text of ["", "77", "77 (x", "77 (x) S 1 2"]) expect(parseStat(text)).toBeUndefined();
});

test("this process and its parent are found, and a pid that began at another time is not the same process", () => {
  const self = findProcess(process.pid);
  expect(self).toMatchObject({ pid: process.pid, parent: process.ppid });
  const all = listProcesses();
  for (const pid of [process.pid, process.ppid]) expect(all.map((one) => one.pid)).toContain(pid);
  expect(isRunning(self ?? { pid: 0, started: "" })).toBe(true);
  expect(isRunning({ pid: process.pid, started: "1" })).toBe(false);
  expect(findProcess(2 ** 30)).toBeUndefined();
});

test("a field of /proc/PID/status gives its words", () => {
  const status = "Name:\tNSpid: 5\nUid:\t0\t0\t0\t0\nNSpid:\t76\t1\nGroups:\t \n";
  expect(statusField(status, "NSpid")).toEqual(["76", "1"]);
  expect(statusField(status, "Uid")).toEqual(["0", "0", "0", "0"]);
  expect(statusField(status, "Gid")).toEqual([]);
});

test("the time that a process has run grows as it works", () => {
  const before = processorTime(process.pid) ?? Number.NaN;
  const end = performance.now() + 30;
  while (performance.now() < end);
  expect(processorTime(process.pid)).toBeGreaterThan(before + 5);
  expect(processorTime(2 ** 30)).toBeUndefined();
});
