import { lstatSync, mkdirSync, readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { type Taken, takeOut } from "../../../src/engine/build/take-out.js";
import { tempFolder } from "../../support/temp.js";
import { sh } from "../../support/tree.js";

const origin = "https://example.org/app.tar.gz";

/** Takes `source` out of what a shell script makes. */
async function take(make: string, source: string): Promise<Taken & { readonly folder: string }> {
  const folder = tempFolder();
  mkdirSync(join(folder, "root"));
  sh(join(folder, "root"), make);
  return { folder, ...(await takeOut(join(folder, "root"), source, { origin, folder: join(folder, "taken") })) };
}

describe("takeOut", () => {
  test("a file, under its own name", async () => {
    const { folder, path } = await take("mkdir -p a/b; echo x > a/b/c", "/a/b/c");
    expect(path).toBe(join(folder, "taken/c"));
    expect(readFileSync(path, "utf8")).toBe("x\n");
  });

  test("a folder, with its mode and time", async () => {
    const { path } = await take("mkdir -p a/b; echo x > a/b/c; chmod 2751 a/b; touch -d @1000 a/b", "/a/b");
    expect(sh(path, "cat c; stat -c '%a %Y' .")).toBe("x\n2751 1000\n");
  });

  test("all of it", async () => {
    const { folder, path } = await take("echo x > f", "/");
    expect(path).toBe(join(folder, "root"));
  });

  test("a symlink stands for what it leads to in the archive, by the link's name", async () => {
    const make = "mkdir v1; echo x > v1/f; ln -s v1 current; ln -s /v1/f file";
    expect(readFileSync(join((await take(make, "/current")).path, "f"), "utf8")).toBe("x\n");
    const { path, folder } = await take(make, "/file");
    expect(path).toBe(join(folder, "taken/file"));
    expect(readFileSync(path, "utf8")).toBe("x\n");
    expect(readFileSync((await take(make, "/current/f")).path, "utf8")).toBe("x\n");
  });

  test("a symlink that leads to nothing in the archive is taken as it is", async () => {
    const { path } = await take("mkdir d; ln -s /etc/passwd d/link", "/d/link");
    expect(readlinkSync(path)).toBe("/etc/passwd");
  });

  test("a symlink to a folder of the host leads to none of it", async () => {
    await expect(take("ln -s /etc link", "/link/passwd")).rejects.toThrow(`${origin} has no /link/passwd: at its top are link`);
  });

  test("device nodes are left out, and told", async () => {
    const { path, devices } = await take("mkdir -p d/e; echo x > d/f; mknod d/e/null c 1 3; mknod d/gone c 0 0; mknod disk b 8 0", "/d");
    expect([...devices].sort()).toEqual(["/d/e/null", "/d/gone"]);
    expect(sh(path, "find . | sort")).toBe(".\n./e\n./f\n");
  });

  test("a device node itself is refused", async () => {
    await expect(take("mknod gone c 0 0", "/gone")).rejects.toThrow("/gone is a device node");
  });

  test("what is missing is told with what is there, where the path ends", async () => {
    await expect(take("mkdir -p bin lib; echo > readme", "/bim/app")).rejects.toMatchObject({
      message: `${origin} has no /bim/app: at its top are bin, lib, readme`,
      hint: 'did you mean "/bin"?',
    });
    await expect(take("mkdir -p bin; echo > bin/tool; echo > bin/server", "/bin/sever")).rejects.toMatchObject({
      message: `${origin} has no /bin/sever: /bin has server, tool`,
      hint: 'did you mean "/bin/server"?',
    });
    await expect(take("mkdir -p app-1.2/bin; echo > app-1.2/bin/app", "/bin/app")).rejects.toMatchObject({
      message: `${origin} has no /bin/app: at its top are app-1.2`,
      hint: 'did you mean "/app-1.2/bin/app"?',
    });
    await expect(take("true", "/x")).rejects.toThrow(`${origin} has no /x: at its top are no files`);
    await expect(take("for i in $(seq 10 40); do echo > $i; done", "/x")).rejects.toThrow("29 and 11 more");
    await expect(take("echo > file", "/file/x")).rejects.toThrow("at its top are file");
  });

  test("names that are no UTF-8 travel", async () => {
    const { path } = await take(`mkdir d; printf x > "d/$(printf 'a\\377')"`, "/d");
    expect(sh(path, "cat *")).toBe("x");
    expect(lstatSync(path).isDirectory()).toBe(true);
  });

  test("an archive's own symlink loop is an error, not an endless one", async () => {
    await expect(take("ln -s b a; ln -s a b", "/a")).rejects.toThrow("too many symlinks");
  });
});
