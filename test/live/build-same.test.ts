import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { Lab, runProgram } from "./support/build.js";

const lab = new Lab();
afterAll(() => lab.remove());

test("the same files are the same archive, in whatever store and whenever they are pushed", async () => {
  const archive = lab.archive("same.tar.gz");
  const lines = `IMAGE("file://${archive}"); PULL("${lab.busybox}"); COPY("/file"); COPY("/folder"); PUSH();`;
  const script = lab.script(lines, { file: "1", "folder/file": "2" });
  await lab.build(script);
  const first = readFileSync(archive);
  await lab.build(script, { store: join(lab.folder, "another-store") });
  expect(readFileSync(archive).equals(first)).toBe(true);
  const listed = (await runProgram(["tar", "--list", "--verbose", "--utc", "--full-time", "--file", archive])).toString();
  expect(listed).toMatch(
    /^drwxr-xr-x 0\/0 +\d+ 1970-01-01 00:00:00 \.\/\n-rw-r--r-- 0\/0 +\d+ 1970-01-01 00:00:00 \.\/nspawn-image\.yaml\n/,
  );
});

test("nothing in it is younger than SOURCE_DATE_EPOCH", async () => {
  const archive = lab.archive("clamped.tar.gz");
  const lines = `IMAGE("file://${archive}"); PULL("${lab.busybox}"); SH("mkdir /made; echo x > /made/file; echo x > /etc/made"); PUSH();`;
  const env = { SOURCE_DATE_EPOCH: "1700000000" };
  await lab.build(lines, { env });
  const first = readFileSync(archive);
  await lab.build(lines, { env, store: join(lab.folder, "third-store") });
  expect(readFileSync(archive).equals(first)).toBe(true);
});
