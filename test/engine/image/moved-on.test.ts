import { join } from "node:path";
import { expect, test } from "vitest";
import { graphImages } from "../../../src/engine/image/graph.js";
import { inspectImage } from "../../../src/engine/image/inspect.js";
import { pullImages } from "../../../src/engine/image/pull.js";
import { LocalHost } from "../../../src/host/local.js";
import { digestOf, makeImage } from "../../support/archive.js";
import { testConfig } from "../../support/config.js";
import { tempFolder } from "../../support/temp.js";

test("inspect and graph agree on whether a parent has moved on, before and after its new version is pulled", async () => {
  const folder = tempFolder();
  const context = { host: new LocalHost(), config: testConfig(join(folder, "store")), report: (): void => undefined };
  const url = (name: string): string => `file://${folder}/${name}.tar.gz`;
  const base = join(folder, "base.tar.gz");
  makeImage(base, { files: { who: "old" } });
  const old = digestOf(base);
  makeImage(join(folder, "child.tar.gz"), { parents: [{ url: url("base"), digest: old }] });
  await pullImages(context, [url("child")]);
  const state = async () => {
    const [{ parents }, { nodes }] = await Promise.all([inspectImage(context, url("child")), graphImages(context, [])]);
    const [edge] = nodes.get(url("child"))?.parents ?? [];
    return { inspect: parents[0]?.movedOn, graph: edge?.movedOn, newer: edge?.newer, used: edge && nodes.get(edge.id)?.digest };
  };
  expect(await state()).toEqual({ inspect: false, graph: false, newer: undefined, used: old });
  makeImage(base, { files: { who: "new" } });
  expect(await state()).toEqual({ inspect: true, graph: true, newer: undefined, used: old });
  await pullImages(context, [url("base")]);
  expect(await state()).toEqual({ inspect: true, graph: true, newer: digestOf(base), used: old });
});
