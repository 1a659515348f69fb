import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { escapeName, parseAttributeDump } from "../../src/layer/attribute-dump.js";

describe("what getfattr prints", () => {
  test("is the lines of each file", () => {
    const dump = '# file: etc/a\\012b\nuser.x="1"\nuser.y=0x00\n\n# file: plain\nuser.x="1"\n\n';
    expect([...parseAttributeDump(dump)]).toEqual([
      ["etc/a\nb", ['user.x="1"', "user.y=0x00"]],
      ["plain", ['user.x="1"']],
    ]);
    expect(parseAttributeDump("").size).toBe(0);
  });

  test("any name comes back from the way that it is written", () => {
    const name = fc.uint8Array({ minLength: 1, maxLength: 30 }).map((bytes) => Buffer.from(bytes).toString("latin1"));
    fc.assert(
      fc.property(name, (given) => {
        const written = escapeName(given);
        expect(written).toMatch(/^[!-~]*$/);
        expect([...parseAttributeDump(`# file: ${written}\nuser.x="1"\n`).keys()]).toEqual([given]);
      }),
    );
  });
});
