import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { bytePath, showName, toBytes } from "../../src/base/byte-path.js";
import { tempFolder } from "../support/temp.js";

describe("names in bytes", () => {
  test("text becomes bytes and text again", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        expect(showName(toBytes(text))).toBe(text);
      }),
    );
  });

  test("each character of a name is one byte", () => {
    expect(toBytes("é")).toBe("\xc3\xa9");
    expect(bytePath("/srv/é", "\xff/\xc3\xa9")).toEqual(Buffer.from("2f7372762fc3a92fff2fc3a9", "hex"));
  });

  test("an empty name is the folder itself", () => {
    expect(bytePath("/srv", "").toString()).toBe("/srv");
  });

  test("a file whose name is no UTF-8 is reached by the name that its folder lists", () => {
    const folder = tempFolder();
    writeFileSync(Buffer.concat([Buffer.from(`${folder}/`), Buffer.from([0x61, 0xff, 0x0a, 0x62])]), "content");
    const [name = ""] = readdirSync(folder, { encoding: "latin1" });
    expect(name).toBe("a\xff\nb");
    expect(readFileSync(bytePath(folder, name), "utf8")).toBe("content");
  });
});
