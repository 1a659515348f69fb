import fc from "fast-check";
import { expect, test } from "vitest";
import { loginShell, rootUserIn } from "../../src/machine/root-user.js";

const standard = { name: "root", home: "/root", shell: undefined };

test.each([
  ["root:x:0:0:root:/root:/bin/bash\nbin:x:1:1::/:/bin/sh\n", { name: "root", home: "/root", shell: "/bin/bash" }],
  ["a:x:1:1::/:/bin/sh\ntoor:x:0:0::/home/toor:/bin/ash\n", { name: "toor", home: "/home/toor", shell: "/bin/ash" }],
  ["root:x:0:0:root:/root:/usr/sbin/nologin\n", standard],
  ["root:x:0:0:root:/root:\n", standard],
  ["root:x:0:0:root:relative:bin/sh\n", standard],
  ["root:x:0:0:root:/ro\tot:/bin/sh\u001b[0m\n", standard],
  ["ro\u0000ot:x:0:0::/x:/bin/sh\n", standard],
  ["root:x:00:0:root:/x:/y", standard],
  ["", standard],
])("of %j", (text, user) => {
  expect(rootUserIn(text)).toEqual(user);
});

test("whatever the file says, the user has a plain name, and paths of plain characters", () => {
  const field = fc.oneof(fc.string(), fc.constantFrom("0", "root", "/bin/sh", "/"));
  fc.assert(
    fc.property(fc.array(fc.array(field, { maxLength: 8 }), { maxLength: 5 }), (lines) => {
      const { name, home, shell } = rootUserIn(lines.map((fields) => fields.join(":")).join("\n"));
      expect(name).toMatch(/^[\w.-]{1,32}$/);
      for (const path of [home, shell ?? "/"]) expect(path).toMatch(/^\/[\w./+-]*$/);
    }),
  );
});

test("shells that know it are started as at a login", () => {
  expect(loginShell("/bin/bash")).toEqual(["/bin/bash", "-l"]);
  expect(loginShell("/opt/menu")).toEqual(["/opt/menu"]);
});
