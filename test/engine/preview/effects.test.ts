import { describe, expect, test } from "vitest";
import { effectsOf, type Present } from "../../../src/engine/preview/effects.js";
import { machinePaths } from "../../../src/machine/paths.js";
import { testConfig } from "../../support/config.js";

const paths = machinePaths("web", testConfig("/store"));
const running: Present = {
  exists: true,
  active: "active",
  enabled: true,
  canEnable: true,
  isVolatile: true,
  isKept: true,
  paths,
  restored: undefined,
};
const stopped: Present = { ...running, active: "inactive", enabled: false };
const none: Present = { ...stopped, exists: false };
const kinds = (...args: Parameters<typeof effectsOf>): readonly string[] => effectsOf(...args).map(({ kind }) => kind);

describe("effectsOf", () => {
  test("update restarts with a clean layer what changes, and starts what does not run", () => {
    expect(kinds("update", running, true)).toEqual(["stop", "clear-layer", "start"]);
    expect(kinds("update", stopped, true)).toEqual(["clear-layer", "start", "enable"]);
    expect(kinds("update", running, false)).toEqual([]);
    expect(kinds("update", stopped, false)).toEqual(["start", "enable"]);
    expect(kinds("update", none, true)).toEqual(["start", "enable"]);
    expect(kinds("update", { ...none, canEnable: false }, true)).toEqual(["start"]);
  });

  test("what a machine keeps stays with its generation, where generations are kept", () => {
    const keeps: Present = { ...running, isVolatile: false };
    expect(effectsOf("update", keeps, true)).toContainEqual({ kind: "keep-layer", path: "/store/runtime/web/1" });
    expect(kinds("update", keeps, true)).toEqual(["stop", "keep-layer", "begin-clean", "start"]);
    expect(kinds("update", { ...keeps, isKept: false }, true)).toEqual(["stop", "clear-layer", "start"]);
  });

  test("rollback restarts, with what was written in the generation that comes back", () => {
    expect(kinds("rollback", running, false)).toEqual(["stop", "clear-layer", "start"]);
    const keeps: Present = { ...stopped, isVolatile: false, restored: "/store/runtime/web/3" };
    expect(kinds("rollback", keeps, false)).toEqual(["keep-layer", "restore-layer", "start", "enable"]);
  });

  test("ensure leaves a machine that is there, and sees that it runs", () => {
    expect(kinds("ensure", running, false)).toEqual([]);
    expect(kinds("ensure", stopped, false)).toEqual(["start", "enable"]);
  });

  test("desure and delete take all of it away, in the order in which that is done", () => {
    expect(effectsOf("desure", running, false)).toEqual([
      { kind: "stop" },
      { kind: "remove-layer", path: "/store/runtime/web" },
      { kind: "remove-root", path: "/var/lib/machines/web" },
      { kind: "disable" },
      { kind: "remove-unit", path: "/etc/systemd/system/web.service" },
    ]);
    expect(kinds("delete", stopped, false)).toEqual(["remove-layer", "remove-root", "remove-unit"]);
    expect(kinds("desure", none, false)).toEqual([]);
  });

  test("stop clears the layer of a machine whose unit does that, and only if it runs", () => {
    expect(effectsOf("stop", running, false)).toEqual([{ kind: "stop" }, { kind: "clear-layer", path: "/store/runtime/web/1" }]);
    expect(kinds("stop", { ...running, isVolatile: false }, false)).toEqual(["stop"]);
    expect(kinds("stop", stopped, false)).toEqual([]);
  });

  test("start, enable and disable do what is not so yet; create and command do nothing with it", () => {
    expect([kinds("start", running, false), kinds("start", stopped, false)]).toEqual([[], ["start"]]);
    expect([kinds("enable", running, false), kinds("enable", stopped, false)]).toEqual([[], ["enable"]]);
    expect([kinds("disable", running, false), kinds("disable", stopped, false)]).toEqual([["disable"], []]);
    expect([kinds("create", none, true), kinds("command", running, false)]).toEqual([[], []]);
  });
});
