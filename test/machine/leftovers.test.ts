import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { cleanCommands } from "../../src/machine/leftovers.js";
import { there } from "../support/files.js";
import { systemdWords } from "../support/systemd-words.js";
import { tempFolder } from "../support/temp.js";

const zone = { name: "Zone", value: "kin", origin: "o" } as const;
const words = (command: string | undefined): readonly string[] => systemdWords(there(command));

describe("cleanCommands", () => {
  test("folders that a crash leaves are removed, what is not there or not empty is left alone, and nothing is said", () => {
    const folder = tempFolder();
    const [, , script = ""] = words(cleanCommands("web", [])[0]);
    for (const path of ["outer/inner", "full/file"]) mkdirSync(join(folder, path), { recursive: true });
    const places = ["none", "outer/inner", "outer", "full"].map((path) => join(folder, path));
    expect(execFileSync("sh", ["-c", script, "sh", ...places], { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] })).toBe("");
    expect(["outer", "full"].map((path) => existsSync(join(folder, path)))).toEqual([false, true]);
  });

  test("they are those of systemd-nspawn's versions, the inner one first", () => {
    expect(words(cleanCommands("web", [])[0]).slice(4)).toEqual([
      "/run/systemd/nspawn/unix-export/web",
      "/run/systemd/nspawn/web/unix-export",
      "/run/systemd/nspawn/web",
      "/run/systemd/nspawn/propagate/web",
    ]);
  });

  test("the name is given back after a crash, where systemd-machined has it still", () => {
    const [, , script = "", ...rest] = words(cleanCommands("web", [])[1]);
    expect(rest).toEqual(["sh", "web"]);
    expect(script).toMatch(/EXIT_CODE.*\/run\/systemd\/machines\/\$1.*UnregisterMachine s "\$1"$/);
    execFileSync("sh", ["-c", script, "sh", "no-such-machine"], { env: { ...process.env, EXIT_CODE: "killed" } });
  });

  test("a zone's bridge is looked at after a crash alone", () => {
    expect(cleanCommands("web", [])).toHaveLength(2);
    const command = words(cleanCommands("web", [zone])[1]);
    expect(command.slice(3)).toEqual(["sh", "vz-kin"]);
    const began = performance.now();
    execFileSync("sh", ["-c", there(command[2]), "sh", "lo"], { env: { ...process.env, EXIT_CODE: "exited" } });
    execFileSync("sh", ["-c", there(command[2]), "sh", "no-such-bridge"], { env: { ...process.env, EXIT_CODE: "killed" } });
    expect(performance.now() - began).toBeLessThan(900);
  });
});
