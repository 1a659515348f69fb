import { expect, test } from "vitest";
import { machinePaths } from "../../src/machine/paths.js";
import { testConfig } from "../support/config.js";

test("the writable layer is where the configuration puts it, the rest where systemd looks for it", () => {
  const config = testConfig("/srv/nspawn", "[storage]runtime=/fast");
  expect(machinePaths("web", config)).toEqual({
    service: "web.service",
    unit: "/etc/systemd/system/web.service",
    root: "/var/lib/machines/web",
    runtime: "/fast/web",
    upper: "/fast/web/upper",
    work: "/fast/web/work",
    previousUnit: "/fast/.web.previous.service",
    previousRuntime: "/fast/.web.previous",
  });
  const folders = { machines: "/tmp/machines", units: "/tmp/units" };
  expect(machinePaths("web", config, folders)).toMatchObject({ unit: "/tmp/units/web.service", root: "/tmp/machines/web" });
});
