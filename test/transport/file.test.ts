import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { processName, processSpace } from "../../src/base/process-id.js";
import { ChangedError } from "../../src/transport/failure.js";
import { fileTransport } from "../../src/transport/file.js";
import { sameContent } from "../../src/transport/transport.js";
import { ref } from "../support/archive.js";
import { bytesOf } from "../support/byte-source.js";
import { writeFiles } from "../support/files.js";
import { tempFolder } from "../support/temp.js";

function upload(folder: string, content: string) {
  const path = join(folder, "upload");
  writeFileSync(path, content);
  return { path, bytes: content.length, digest: `sha256:${"0".repeat(64)}` };
}

/** Paths of all files that this process has open. */
function openFiles(): readonly string[] {
  return readdirSync("/proc/self/fd").flatMap((fd) => {
    try {
      return [readlinkSync(`/proc/self/fd/${fd}`)];
    } catch {
      return [];
    }
  });
}

describe("fileTransport", () => {
  test("what is put is got, byte for byte, also in a new folder with a name that needs escapes", async () => {
    const folder = tempFolder();
    const image = ref(`file://${folder}/new%20folder/é#.tar.gz`.replace("#", "%23"));
    await fileTransport.put(image, upload(folder, "archive"));
    const { body, bytes } = await fileTransport.get(image);
    expect(bytes).toBe(7);
    expect((await bytesOf(body)).toString()).toBe("archive");
    expect(readdirSync(join(folder, "new folder"))).toEqual(["é#.tar.gz"]);
  });

  test("a put replaces the file by another one: whoever reads the old one reads it to its end", async () => {
    const folder = tempFolder();
    const image = ref(`file://${folder}/a.tar.gz`);
    await fileTransport.put(image, upload(folder, "old".repeat(1000)));
    const { body } = await fileTransport.get(image);
    const before = statSync(join(folder, "a.tar.gz")).ino;
    await fileTransport.put(image, upload(folder, "new"));
    expect(statSync(join(folder, "a.tar.gz")).ino).not.toBe(before);
    expect(readFileSync(join(folder, "a.tar.gz"), "utf8")).toBe("new");
    const read = (await bytesOf(body)).toString();
    expect(["old".repeat(1000), "new"]).toContain(read);
  });

  test("what the probe says changes with the content, and only then", async () => {
    const folder = tempFolder();
    const image = ref(`file://${folder}/a.tar.gz`);
    await fileTransport.put(image, upload(folder, "one"));
    const first = await fileTransport.probe(image);
    expect(sameContent(first, await fileTransport.probe(image))).toBe(true);
    await fileTransport.put(image, upload(folder, "two"));
    expect(sameContent(first, await fileTransport.probe(image))).toBe(false);
    const second = await fileTransport.probe(image);
    writeFileSync(join(folder, "a.tar.gz"), "333");
    expect(sameContent(second, await fileTransport.probe(image))).toBe(false);
  });

  test("the spelling of the URL does not matter", async () => {
    const folder = tempFolder();
    await fileTransport.put(ref(`file://localhost${folder}/a.tar.gz`), upload(folder, "x"));
    expect((await bytesOf((await fileTransport.get(ref(`file://${folder}/a.tar.gz`))).body)).toString()).toBe("x");
  });

  test("what is not there is named", async () => {
    const url = `file://${tempFolder()}/a.tar.gz`;
    for (const ask of [fileTransport.probe, fileTransport.get])
      await expect(ask(ref(url))).rejects.toThrow(`${url}: there is no such file`);
  });

  test.each([
    ["is cut short", (path: string) => truncateSync(path, 1_500_000)],
    ["grows", (path: string) => appendFileSync(path, "more")],
    ["is written over", (path: string) => writeFileSync(path, Buffer.alloc(5_000_000, 2))],
  ])("a file that %s while it is read is an error that is worth a new start", async (_, change) => {
    const folder = tempFolder();
    const path = join(folder, "a.tar.gz");
    writeFileSync(path, Buffer.alloc(5_000_000, 1));
    const { body } = await fileTransport.get(ref(`file://${path}`));
    const chunks = body[Symbol.asyncIterator]();
    await chunks.next();
    change(path);
    const rest = async (): Promise<void> => {
      while (!(await chunks.next()).done);
    };
    await expect(rest()).rejects.toThrow(ChangedError);
  });

  test("a file that is written over with as many bytes is told as that", async () => {
    const path = join(tempFolder(), "a.tar.gz");
    writeFileSync(path, Buffer.alloc(5_000_000, 1));
    const { body } = await fileTransport.get(ref(`file://${path}`));
    const chunks = body[Symbol.asyncIterator]();
    await chunks.next();
    writeFileSync(path, Buffer.alloc(5_000_000, 2));
    const rest = async (): Promise<void> => {
      while (!(await chunks.next()).done);
    };
    await expect(rest()).rejects.toThrow(/: it was written to while it was read$/);
  });

  test("a file that is not read to its end is closed", async () => {
    const folder = tempFolder();
    const path = join(folder, "a.tar.gz");
    writeFileSync(path, Buffer.alloc(5_000_000, 1));
    const { body } = await fileTransport.get(ref(`file://${path}`));
    await body[Symbol.asyncIterator]().next();
    body.destroy();
    await vi.waitFor(() => expect(openFiles()).not.toContain(path));
  });

  test("an archive on another file system is copied, and the copy has nothing of the original's later changes", async () => {
    const shm = mkdtempSync("/dev/shm/nspawn-test-");
    onTestFinished(() => rmSync(shm, { recursive: true }));
    const folder = tempFolder();
    const given = upload(shm, "archive");
    await fileTransport.put(ref(`file://${folder}/a.tar.gz`), given);
    writeFileSync(given.path, "changed");
    expect(readFileSync(join(folder, "a.tar.gz"), "utf8")).toBe("archive");
    expect(statSync(join(folder, "a.tar.gz")).nlink).toBe(1);
  });

  test("a folder is no archive", async () => {
    const folder = tempFolder();
    mkdirSync(join(folder, "a.tar.gz"));
    await expect(fileTransport.get(ref(`file://${folder}/a.tar.gz`))).rejects.toThrow(/a\.tar\.gz: it is no file/);
  });

  test("a put that fails says so, and leaves nothing beside its place", async () => {
    const folder = tempFolder();
    mkdirSync(join(folder, "a.tar.gz/x"), { recursive: true });
    await expect(fileTransport.put(ref(`file://${folder}/a.tar.gz`), upload(folder, "x"))).rejects.toThrow(/cannot be written/);
    expect(readdirSync(folder).filter((name) => name.startsWith("."))).toEqual([]);
  });

  test("what a killed push has left is removed by the next one, what a running one writes stays", async () => {
    const folder = tempFolder();
    const running = `.b.tar.gz.nspawn-${processSpace()}-${processName()}`;
    writeFiles(folder, { [`.b.tar.gz.nspawn-${processSpace()}-999999999-1`]: "left", [running]: "running", ".other.nspawn-x": "other" });
    await fileTransport.put(ref(`file://${folder}/a.tar.gz`), upload(folder, "x"));
    expect(readdirSync(folder).sort()).toEqual([running, ".other.nspawn-x", "a.tar.gz"].sort());
  });

  test("what another host or container writes into the same folder stays for a day, since its processes cannot be seen", async () => {
    const folder = tempFolder();
    const [fresh, old] = [".b.tar.gz.nspawn-0123456789abcdef-999999999-1", ".c.tar.gz.nspawn-0123456789abcdef-999999999-1"];
    writeFiles(folder, { [fresh]: "running", [old]: "left" });
    const yesterday = Date.now() / 1000 - 25 * 3600;
    utimesSync(join(folder, old), yesterday, yesterday);
    await fileTransport.put(ref(`file://${folder}/a.tar.gz`), upload(folder, "x"));
    expect(readdirSync(folder).sort()).toEqual([fresh, "a.tar.gz"].sort());
  });

  test("the archive can be read by all, and is the owner's to write", async () => {
    const folder = tempFolder();
    await fileTransport.put(ref(`file://${folder}/a.tar.gz`), upload(folder, "x"));
    expect(statSync(join(folder, "a.tar.gz")).mode & 0o777).toBe(0o644);
  });
});
