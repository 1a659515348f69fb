import { expect, test } from "vitest";
import { machinePaths, withLayer } from "../../src/machine/paths.js";
import { testConfig } from "../support/config.js";

test("the writable layer is where the configuration puts it, the rest where systemd looks for it", () => {
  const config = testConfig("/srv/nspawn", "[storage]runtime=/fast");
  expect(machinePaths("web", config)).toEqual({
    service: "web.service",
    unit: "/etc/systemd/system/web.service",
    root: "/var/lib/machines/web",
    generations: "/srv/nspawn/generation/web",
    runtimes: "/fast/web",
    runtime: "/fast/web/1",
    upper: "/fast/web/1/upper",
    work: "/fast/web/1/work",
  });
  expect(withLayer(machinePaths("web", config), 7)).toMatchObject({
    runtimes: "/fast/web",
    runtime: "/fast/web/7",
    upper: "/fast/web/7/upper",
    work: "/fast/web/7/work",
  });
  const folders = { machines: "/tmp/machines", units: "/tmp/units" };
  expect(machinePaths("web", config, folders)).toMatchObject({ unit: "/tmp/units/web.service", root: "/tmp/machines/web" });
});
