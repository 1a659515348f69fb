import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { TOOL } from "nspawn/build";
import { TOOL as setupTool } from "nspawn/setup";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Cli, compileCli } from "../support/cli.js";
import { writeFiles } from "../support/files.js";
import { makeTempFolder, removeFolder } from "../support/temp.js";

let folder: string;
let cli: Cli;
beforeAll(() => {
  folder = makeTempFolder();
  cli = compileCli(folder);
});
afterAll(() => removeFolder(folder));

const head = 'import { IMAGE, TOOL } from "nspawn/build";\nIMAGE("file:///srv/web.tar.zst");\n';

test("both kinds of scripts have the same helpers", () => {
  expect(setupTool).toBe(TOOL);
});

test("outside of a script there is no configuration to see", async () => {
  expect(() => TOOL.config("storage/root")).toThrow("TOOL.config: called outside of a script");
  await expect(TOOL.publicAddress()).rejects.toThrow("TOOL.publicAddress: called outside of a script");
});

test("a script sees the configuration of its command; the internet is asked once", async () => {
  let asked = 0;
  const server = createServer((_, response) => {
    asked++;
    response.end("192.0.2.7\n");
  });
  await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const source = `${head}console.log(JSON.stringify([
  await TOOL.publicAddress(), await TOOL.publicAddress(), await TOOL.hasInternet(),
  TOOL.config("network/check_host_list"), TOOL.config("machine/use_bind_stub"), TOOL.buildEpoch(), TOOL.dateDash(),
]));\n`;
  writeFiles(folder, { "look/build.ts": source });
  process.env.NSPAWN_BUILD_EPOCH = "2026-11-23";
  try {
    const { code, stdout, stderr } = await cli.run(
      "nspawn-build",
      ["build.ts", "--plan", `--config=[network]check_host_list=${url}`, "--config=[machine]use_bind_stub=no"],
      join(folder, "look"),
    );
    expect(stderr).toBe("");
    expect(code).toBe(0);
    expect(JSON.parse(stdout.split("\n")[0] ?? "")).toEqual([
      "192.0.2.7",
      "192.0.2.7",
      true,
      [url],
      false,
      "2026-11-23T00:00:00.000Z",
      "2026-11-23",
    ]);
    expect(asked).toBe(1);
  } finally {
    delete process.env.NSPAWN_BUILD_EPOCH;
    server.close();
  }
});

test.each([
  ['TOOL.config("storage/rot");', 'TOOL.config: the configuration has no "storage/rot"', "did you mean storage/root?"],
  ["TOOL.selectInterface(/^no-such/);", "TOOL.selectInterface: ", "there "],
  ['TOOL.dateDash("today" as never);', 'TOOL.dateDash: expected a Date, not "today"', undefined],
])("%s is an error at the line of the script", async (call, message, hint) => {
  const name = `wrong-${call.replace(/\W/g, "")}`;
  writeFiles(folder, { [`${name}/build.ts`]: `${head}\n${call}\n` });
  const { code, stderr } = await cli.run("nspawn-build", ["build.ts", "--plan"], join(folder, name));
  expect(code).toBe(2);
  expect(stderr).toContain(`build.ts:4: error: ${message}`);
  if (hint !== undefined) expect(stderr).toContain(`hint: ${hint}`);
});
