import { expect, test } from "vitest";
import { imageTable } from "../../../src/cli/image/image-table.js";
import type { ImageRow } from "../../../src/engine/image/list.js";

const plain = (_: unknown, text: string): string => text;
const now = new Date("2026-11-24T12:00:00.000Z");

function row(url: string, more: Partial<ImageRow> = {}): ImageRow {
  return {
    kind: "image",
    url,
    digest: `sha256:${"75416bd31add".padEnd(64, "0")}`,
    bytes: 72_000_000,
    extracted: 178_000_000,
    time: "2026-11-24T11:20:00.000Z",
    layers: 3,
    machines: [],
    ...more,
  };
}

test("on a terminal of 80 columns every URL can be read, and the digest", () => {
  const start = "http://127.0.0.1:45123/images/";
  const rows = ["base", "left", "top"].map((name) => row(`${start}${name}.tar.zst`, { machines: ["web"] }));
  expect(imageTable(rows, plain, 80, now)).toEqual([
    "IMAGE                                       DIGEST        AGE         MACHINES",
    `${start}base.tar.zst  75416bd31add  40 minutes  web`,
    `${start}left.tar.zst  75416bd31add  40 minutes  web`,
    `${start}top.tar.zst   75416bd31add  40 minutes  web`,
  ]);
});

test("a URL that is too long keeps its host and its file", () => {
  const long = row(`https://images.example.org/${"debian/".repeat(12)}web.tar.zst`);
  const [, line = ""] = imageTable([long], plain, 80, now);
  expect(line).toMatch(/^https:\/\/images\.example\.org\/\S*…\S*\/web\.tar\.zst {2}75416bd31add/);
  expect(line.length).toBeLessThanOrEqual(80);
});
