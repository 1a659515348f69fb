import { dirname } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Ended, Lab, runProgram } from "./support/build.js";

const lab = new Lab();
const image = `IMAGE("${lab.url("cast.tar.zst")}"); PULL("${lab.url("base.tar.zst")}");`;

beforeAll(async () => {
  await lab.build(`IMAGE("${lab.url("base.tar.zst")}"); PULL("${lab.busybox}"); SH("mkdir -p /etc"); PUSH();`);
});
afterAll(() => lab.remove());

async function mustFail(lines: string, files: Readonly<Record<string, string>>): Promise<string> {
  const ended = await lab.run(lab.script(`${image} ${lines}`, files));
  expect(ended.code, ended.stdout).toBe(2);
  expect(ended.stderr).toMatch(/build\.ts:2.*error: CAST: /s);
  expect(ended.stderr).not.toMatch(/^\s+at /m);
  return ended.stderr;
}

describe("CAST", () => {
  test("includes, imports and extends templates of the script's folder, which do not get into the image by that", async () => {
    const { output }: Ended = await lab.build(
      `${image} CAST("/etc/app", { servers: [{ name: "a", port: 1 }, { name: "b", port: 2 }], debug: false });
      SH("cat /etc/app/app.conf /etc/app/.hidden; find /etc/app /lib -name 'base*' -o -name 'macros*' | wc -l"); PUSH();`,
      {
        files: {
          "etc/app/app.conf":
            '{% extends "../../lib/base.conf" %}{% block body %}{% for s in servers %}{% include "/lib/server" %}{% endfor %}{% endblock %}',
          "etc/app/.hidden": "{{ servers|map(attribute='name')|join(' ') }}\n",
          "lib/base.conf": '{% import "macros" as m %}{{ m.head(target) }}\n{% block body %}{% endblock %}',
          "lib/macros": "{% macro head(x) %}# {{ x }} <&>{% endmacro %}",
          "lib/server": "{{ s.name }}:{{ s.port }}{% if debug %} debug{% endif %}\n",
        },
      },
    );
    expect(output).toEqual(["# /etc/app <&>", "a:1", "b:2", "a b", "0"]);
  });

  test("of an undefined variable in an included template fails with that file, its line, and what would be right", async () => {
    const error = await mustFail('CAST("/etc/conf", { port: 80 });', {
      "etc/conf": '{% for i in [1] %}\n{% include "part" %}\n{% endfor %}',
      "etc/part": "# {{ i }}\nlisten {{ prot|string }};\n",
    });
    expect(error).toMatch(
      / etc\/part:2: undefined variable "prot"\n.*\/etc\/part:2:\n\s+2 \| listen \{\{ prot\|string \}\};\n\s+\| {11}\^{4}\n/s,
    );
    expect(error).toContain("did you mean port?");
  });

  test("of a template that is not there, or leads out of the script's folder, fails with the line that names it", async () => {
    expect(await mustFail('CAST("/etc/conf");', { "etc/conf": 'x\n{% include "../lib/none" %}' })).toMatch(
      / etc\/conf:2: there is no template "\.\.\/lib\/none"/,
    );
    expect(await mustFail('CAST("/etc/conf");', { "etc/conf": '{% include "../../secret" %}' })).toMatch(/ etc\/conf:1: .* leads out of /);
  });

  test("keeps modes, times, ACLs, attributes, hard links and symlinks", async () => {
    const script = lab.script(
      `${image} CAST("/t", { x: 1 }); SH("cd /t; cat a b sub/link; stat -c '%a %u:%g %Y' a sub; stat -c %i a b | uniq | wc -l; readlink sub/link"); PUSH();`,
      { "t/a": "{{ x }}\n", "t/sub/c": "{{ x }}{{ x }}\n" },
    );
    const make = `cd "$1/t"; ln a b; ln -s c sub/link; chown 7:7 a; chmod 4750 a; chmod 2755 sub; setfattr -n user.k -v v a; setfacl -m u:1234:r a
      touch -d @1000000000 a sub`;
    await runProgram(["sh", "-ec", make, "sh", dirname(script)]);
    const { output } = await lab.build(script);
    expect(output).toEqual(["1", "1", "11", "4750 0:0 1000000000", "2755 0:0 1000000000", "1", "c"]);
    const layer = lab.layer(lab.archive("cast.tar.zst"), lab.store);
    await lab.build(`IMAGE("${lab.url("child.tar.zst")}"); PULL("${lab.url("cast.tar.zst")}");`);
    const attributes = (await runProgram(["sh", "-c", 'getfattr -n user.k "$1/t/a"; getfacl -n "$1/t/a"', "sh", layer])).toString();
    expect(attributes).toContain('user.k="v"');
    expect(attributes).toContain("user:1234:r--");
  });
});
