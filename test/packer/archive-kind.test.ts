import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { archiveKind, headLength, noArchive } from "../../src/packer/archive-kind.js";
import { tarOf, zipOf } from "../support/hand-made.js";

const head = (bytes: Buffer): Buffer => bytes.subarray(0, headLength);

describe("archiveKind", () => {
  test("each kind is known by its content", () => {
    const tar = tarOf([{ name: "a", content: "x" }]);
    expect(archiveKind(head(tar))).toEqual({ kind: "tar", compression: undefined });
    expect(archiveKind(head(gzipSync(tar)))).toEqual({ kind: "tar", compression: "gz" });
    expect(archiveKind(head(zipOf([{ name: "a" }])))).toEqual({ kind: "zip" });
  });

  test("an archive of nothing is an archive", () => {
    expect(archiveKind(head(tarOf([])))).toEqual({ kind: "tar", compression: undefined });
    expect(archiveKind(head(zipOf([])))).toEqual({ kind: "zip" });
  });

  test("an old tar archive, without the word ustar, is known by its checksum", () => {
    const tar = tarOf([{ name: "a" }]);
    // The word is left out, and the checksum is less by its bytes.
    tar.fill(0, 257, 265);
    tar.write("        ", 148);
    tar.write(
      `${head(tar)
        .reduce((sum, byte) => sum + byte, 0)
        .toString(8)
        .padStart(6, "0")}\0 `,
      148,
    );
    expect(archiveKind(head(tar))).toEqual({ kind: "tar", compression: undefined });
  });

  test("text is none of them, whatever it says", () => {
    fc.assert(fc.property(fc.string(), (text) => archiveKind(Buffer.from(text.padEnd(headLength, text || "x"))) === undefined));
  });
});

describe("what no archive looks like", () => {
  test.each([
    ["an empty file", Buffer.alloc(0)],
    ["an HTML page", Buffer.from("\n<!DOCTYPE html><html>")],
    ["an XML file", Buffer.from("<?xml version='1.0'?>")],
    ["a JSON file", Buffer.from('{"error": "not found"}')],
    ["a text", Buffer.from("Not Found ü")],
    ["a program", readFileSync(process.execPath).subarray(0, headLength)],
    ["a .7z archive", Buffer.from("377abcaf271c0004", "hex")],
    ["a Debian package", Buffer.from("!<arch>\ndebian-binary   ")],
    ["something unknown", Buffer.from("0001020304050607", "hex")],
  ])("%s", (words, bytes) => expect(noArchive("origin", bytes).message).toBe(`origin is no archive: it looks like ${words}`));
});
