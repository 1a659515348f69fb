import { chmodSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { StoredImage } from "../../src/image/store.js";
import { machinePaths, withLayer } from "../../src/machine/paths.js";
import { type Machine, renderUnit as render, unitKey } from "../../src/machine/unit.js";
import { unitMark } from "../../src/machine/unit-mark.js";
import type { MachineSpec } from "../../src/plan/step.js";
import { catalog, type SettingName } from "../../src/settings/catalog.js";
import type { Setting } from "../../src/settings/merge.js";
import { entriesOf } from "../../src/settings/value.js";
import { unitText } from "../support/arbitrary.js";
import { testConfig } from "../support/config.js";
import { there, writeFiles } from "../support/files.js";
import { logicalLines, systemdWords } from "../support/systemd-words.js";
import { makeTempFolder, removeFolder } from "../support/temp.js";
import { tries } from "../support/tries.js";

const renderUnit = (machine: Machine): string => render(machine).text;

/** A store of its own, and programs in one known folder, whatever this host has installed. */
let folder: string;
const path = process.env.PATH;

beforeAll(() => {
  folder = makeTempFolder();
  for (const program of ["systemd-nspawn", "mkdir", "touch", "install", "mount", "umount", "rm", "sh"]) {
    writeFiles(folder, { [`bin/${program}`]: "#!/bin/sh\n" });
    chmodSync(join(folder, "bin", program), 0o755);
  }
});
beforeEach(() => {
  process.env.PATH = join(folder, "bin");
});
afterEach(() => {
  process.env.PATH = path;
});
afterAll(() => removeFolder(folder));

function image(url: string, id: string): StoredImage {
  const layer = {
    id,
    folder: join(folder, "store/extract", id),
    digest: `sha256:${id.padEnd(64, "0")}`,
    bytes: 1,
    root: { mode: 0o755, uid: 0, gid: 0, attributes: false },
  };
  mkdirSync(layer.folder, { recursive: true });
  chmodSync(layer.folder, 0o755);
  const ref = { written: url, url, scheme: "https" as const };
  return { image: ref, layer, meta: { url, parents: [], command: undefined, settings: [], removed: [] } };
}

function machine(fields: Partial<Omit<Machine, "spec">> & { readonly spec?: Partial<MachineSpec> } = {}): Machine {
  const { spec, ...others } = fields;
  const config = testConfig(join(folder, "store"));
  return {
    script: "/srv/web/setup.ts",
    chain: [
      image("https://images.example.org/web.tar.zst", "1111111111111111"),
      image("https://images.example.org/debian.tar.zst", "2222222222222222"),
    ],
    settings: [],
    command: undefined,
    paths: machinePaths(spec?.name ?? "web", config),
    layersFolder: join(folder, "store/extract"),
    config: config.machine,
    systemd: 252,
    ...others,
    spec: { name: "web", template: undefined, unitConf: [], serviceConf: [], installConf: [], state: "volatile", ...spec },
  };
}

const setting = (name: SettingName, value: string, origin = "https://images.example.org/web.tar.zst"): Setting => ({ name, value, origin });

/** The unit with this test's folders under fixed names. */
const stable = (unit: string): string =>
  unit.replaceAll(join(folder, "bin"), "/usr/bin").replaceAll(join(folder, "store"), "/var/lib/nspawn");

/** Section and key of each line that systemd reads. */
function keys(unit: string): readonly string[] {
  return logicalLines(unit)
    .filter((line) => line.trim() !== "" && !/^\s*[#;]/.test(line))
    .map((line) => /^(\[[A-Za-z]+\]|[A-Za-z]+=)/.exec(line)?.[1] ?? `WRONG ${line}`);
}

function execStart(unit: string): readonly string[] {
  const lines = logicalLines(unit).filter((line) => line.startsWith("ExecStart="));
  expect(lines).toHaveLength(1);
  return systemdWords(there(lines[0]).slice("ExecStart=".length));
}

describe("renderUnit", () => {
  test("a machine with nothing special", async () => {
    await expect(stable(renderUnit(machine()))).toMatchFileSnapshot("golden/plain.service");
  });

  test("a machine with settings of every section, hostile values, a command and lines of its own", async () => {
    const unit = renderUnit(
      machine({
        script: "/srv/my web/100%/setup.ts",
        spec: {
          state: "keep",
          unitConf: ["After=postgresql.service"],
          serviceConf: ["CPUQuota=50%", "Environment=A=1"],
          installConf: ["Alias=www.service"],
        },
        settings: [
          setting("Boot", "no"),
          setting("Environment", 'GREETING=say "hi" to $USER, 100% \\o/\nExecStartPre=/bin/evil'),
          setting("Hostname", "{{ name }}", "https://images.example.org/debian.tar.zst"),
          setting("User", "www-data"),
          setting("LimitNOFILE", "1024:2048", "/srv/web/setup.ts"),
          setting("SystemCallFilter", "~@mount"),
          setting("Bind", "/srv/web data/:/srv/web", "/srv/web/setup.ts"),
          setting("BindReadOnly", "/etc/ssl/c\\:d.pem", "/srv/web/setup.ts"),
          setting("Overlay", "/srv/lower:/srv/upper:/srv/merged", "/srv/web/setup.ts"),
          setting("ReadOnly", "yes"),
          setting("MACVLAN", "eth0"),
          setting("Port", "tcp:80:8080"),
          setting("KeepUnit", "yes"),
          setting("Register", "yes"),
          setting("Slice", "web.slice", "/srv/web/setup.ts"),
          setting("Property", "IOWeight=50%", "/srv/web/setup.ts"),
          setting("Property", "DeviceAllow=/dev/my disk rw", "/srv/web/setup.ts"),
        ],
        command: {
          argv: ["/usr/bin/env", "sh", "-c", 'echo "$HOME" 100%; sleep 1\n# end'],
          origin: "https://images.example.org/web.tar.zst",
        },
      }),
    );
    await expect(stable(unit)).toMatchFileSnapshot("golden/full.service");
  });

  test("systemd-nspawn gets the settings as they are, then the command as it is", () => {
    const unit = renderUnit(
      machine({
        settings: [setting("Environment", "A=$B %i 'x'\n"), setting("Boot", "no")],
        command: { argv: ["sh", "-c", "a; b\\"], origin: "o" },
      }),
    );
    expect(execStart(unit)).toEqual([
      join(folder, "bin/systemd-nspawn"),
      "--settings=no",
      "--keep-unit",
      "--machine=web",
      "--directory=/var/lib/machines/web",
      "--setenv=A=$B %i 'x'\n",
      "--",
      "sh",
      "-c",
      "a; b\\",
    ]);
  });

  test("each setting's options stand as they are, whatever a value looks like", () => {
    const values = ["--keep-unit", "--boot", "-U", "--private-users=no", "--", "x"];
    const given = values.map((value) => setting("Environment", `A=${value}`));
    const user = setting("User", "--keep-unit");
    const argv = execStart(renderUnit(machine({ settings: [...given, user, setting("KeepUnit", "yes"), setting("Private", "yes")] })));
    expect(argv.slice(5)).toEqual([...values.map((value) => `--setenv=A=${value}`), "-u", "--keep-unit", "--private-network"]);
  });

  test("Slice and Property are lines of the service, which is the machine's scope", () => {
    const settings = [setting("Slice", "web.slice"), setting("Property", "MemoryMax=50%"), setting("Property", "DeviceAllow=/dev/a $b rw")];
    const unit = renderUnit(machine({ settings }));
    expect(unit).toMatch(
      /\nSlice=machine\.slice\n[\s\S]*\nSlice=web\.slice\nMemoryMax=50%%\nDeviceAllow=\/dev\/a \$b rw\n[\s\S]*\nExecStart=/,
    );
    expect(execStart(unit).join(" ")).not.toMatch(/--slice|--property/);
    expect(() => renderUnit(machine({ settings: [setting("Property", "MemoryMax=1G\nExecStartPre=/bin/evil")] }))).toThrow(/cannot hold/);
  });

  test("without a command there are the parameters that settings give", () => {
    const settings = [setting("Boot", "yes"), setting("Parameters", "systemd.unit=x.target"), setting("Parameters", "-b")];
    expect(execStart(renderUnit(machine({ settings }))).slice(-4)).toEqual(["--boot", "--", "systemd.unit=x.target", "-b"]);
    expect(execStart(renderUnit(machine({ settings: [setting("Boot", "yes")] })))).not.toContain("--");
  });

  test("no value of an image can add a line to the unit, or change another", () => {
    const text = unitText.map((text) => `x${text}`);
    const names = Object.keys(catalog).filter(
      (name) => !["Bind", "BindReadOnly", "Overlay", "OverlayReadOnly", "Slice", "Property", "Zone"].includes(name),
    ) as SettingName[];
    const plain = keys(renderUnit(machine()));
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.constantFrom(...names), text, text), { maxLength: 5 }),
        fc.array(unitText, { minLength: 1, maxLength: 4 }),
        text,
        (list, argv, url) => {
          const settings = list.map(([name, value, origin]) => setting(name, value, origin));
          const unit = renderUnit(
            machine({ settings, command: { argv, origin: url }, chain: [image(url, "3333333333333333"), image(url, "4444444444444444")] }),
          );
          expect(keys(unit)).toEqual(plain);
          expect(execStart(unit).slice(-argv.length)).toEqual(argv);
          expect(execStart(unit)[1]).toBe("--settings=no");
        },
      ),
      { numRuns: tries(300) },
    );
  });

  test("a limit is one line, or refused before", () => {
    const plain = keys(renderUnit(machine()));
    fc.assert(
      fc.property(fc.constantFrom("MemoryMax=", "Description=", ""), unitText, (start, text) => {
        const { entries, wrong } = entriesOf("Property", `${start}${text}`);
        if (wrong.length > 0) return;
        const lines = renderUnit(machine({ settings: entries.map(({ name, value }) => setting(name, value)) })).split("\n");
        expect(start).not.toBe("Description=");
        expect(lines.filter((line) => line.startsWith("MemoryMax="))).toHaveLength(1);
        expect(keys(lines.join("\n"))).toHaveLength(plain.length + 1);
      }),
      { numRuns: tries(1000) },
    );
  });

  test("no path of a bind or overlay can add a line to the unit, but the ones that make it", () => {
    const plain = keys(renderUnit(machine()));
    fc.assert(
      fc.property(fc.constantFrom<SettingName>("Bind", "BindReadOnly", "Overlay"), unitText, (name, value) => {
        const unit = renderUnit(machine({ settings: [setting(name, `/${value}`)] }));
        expect(keys(unit).filter((key) => key !== "ExecStartPre=")).toEqual(plain.filter((key) => key !== "ExecStartPre="));
        for (const line of logicalLines(unit))
          if (line.startsWith("ExecStartPre=")) expect(systemdWords(line.slice(13)).length).toBeGreaterThan(2);
      }),
      { numRuns: tries(300) },
    );
  });

  test("each setting is in a comment with its origin", () => {
    const unit = renderUnit(machine({ settings: [setting("Hostname", "a\nb", "https://h/x.tar.gz\nEvil=1")] }));
    const comments = unit.split("\n").filter((line) => line.includes("Hostname="));
    expect(comments).toEqual([expect.stringMatching(/^# {3}Hostname="a\\nb" {2}# https:\/\/h\/x\.tar\.gz\\(n|u000a)Evil=1$/)]);
  });

  test("a volatile root is cleared before the start and after the stop, a kept one never", () => {
    const clears = (state: "volatile" | "keep"): readonly string[] =>
      logicalLines(stable(renderUnit(machine({ spec: { state } })))).filter((line) => line.includes("/usr/bin/rm"));
    const rm = "/usr/bin/rm --recursive --force --one-file-system /var/lib/nspawn/runtime/web/1";
    expect(clears("volatile")).toEqual([`ExecStartPre=${rm}`, `ExecStopPost=-${rm}`]);
    expect(clears("keep")).toEqual([]);
  });

  test("the root of the machine has the mode of the top layer's root", () => {
    const stored = image("https://h/a.tar.gz", "5555555555555555");
    const root = { mode: 0o1710, uid: 0, gid: 0, attributes: false };
    const chain = [{ ...stored, layer: { ...stored.layer, root } }];
    expect(renderUnit(machine({ chain }))).toContain("--mode=1710 --owner=0 --group=0");
  });

  test("sources of binds are made before the mount", () => {
    const pre = logicalLines(stable(renderUnit(machine({ settings: [setting("Bind", "/srv/a b/")] })))).filter((line) =>
      line.startsWith("ExecStartPre="),
    );
    expect(pre[0]).toBe('ExecStartPre=/usr/bin/mkdir --parents "/srv/a b/"');
    expect(pre.at(-1)).toContain("/usr/bin/mount --types overlay");
  });

  test("without stubs by configuration nothing is made on the host", () => {
    const config = testConfig(join(folder, "store"), "[machine]use_bind_stub=no").machine;
    const unit = renderUnit(machine({ settings: [setting("Bind", "/srv/web/")], config }));
    expect(keys(unit)).toEqual(keys(renderUnit(machine())));
    expect(execStart(unit)).toContain("--bind=/srv/web/");
  });

  test("mount options of the configuration are added, and cannot change what always holds", () => {
    const config = testConfig(join(folder, "store"), "[machine]overlayfs_mount_opts=xino=auto\nredirect_dir=off\nnoatime").machine;
    const mount = there(logicalLines(renderUnit(machine({ config }))).find((line) => line.includes("/bin/mount")));
    const options = there(systemdWords(mount.slice("ExecStartPre=".length))[4]);
    expect(options.split(",").slice(3)).toEqual([
      "nodev",
      "xino=auto",
      "noatime",
      "index=off",
      "metacopy=off",
      "redirect_dir=off",
      "X-mount.mkdir",
    ]);
  });

  test("a machine without layers is refused, and one with more than a mount takes", () => {
    expect(() => renderUnit(machine({ chain: [] }))).toThrow(/no layers/);
    const many = Array.from({ length: 240 }, (_, index) => image("https://h/a.tar.gz", String(index).padStart(16, "0")));
    expect(() => renderUnit(machine({ chain: many }))).toThrow(/240 layers.*more than one mount takes/);
  });

  test("two hundred layers fit into one mount", () => {
    const many = Array.from({ length: 200 }, (_, index) => image("https://h/a.tar.gz", String(index).padStart(16, "0")));
    const mount = there(logicalLines(renderUnit(machine({ chain: many }))).find((line) => line.includes("/bin/mount")));
    const options = there(systemdWords(mount.slice("ExecStartPre=".length))[4]);
    expect(options.split(",")[0]).toBe(`lowerdir=${many.map(({ layer }) => layer.id).join(":")}`);
    expect(options.length).toBeLessThan(4096);
  });

  /** The least that a template has to do, and what a test adds to it. */
  const least = (more = ""): string =>
    [
      "[Service]",
      "WorkingDirectory={{ layers_folder }}",
      "{% for command in mount %}ExecStartPre={{ command }}",
      "{% endfor %}ExecStart={{ nspawn | join(' ') }}",
      "{% for command in release %}ExecStopPost=-{{ command }}",
      `{% endfor %}${more}`,
    ].join("\n");

  test("a template of one's own is used, with our mark above it", () => {
    writeFiles(folder, { "own.service": least("{% for line in service_conf %}{{ line }}\n{% endfor %}") });
    const unit = stable(renderUnit(machine({ spec: { template: join(folder, "own.service"), serviceConf: ["A=1"] } })));
    expect(unit.startsWith(`${unitMark} web\n[Service]\n`)).toBe(true);
    expect(unit.endsWith("\nA=1\n")).toBe(true);
    expect(unit).toContain(
      "\nExecStart=/usr/bin/systemd-nspawn --settings=no --keep-unit --machine=web --directory=/var/lib/machines/web\n",
    );
  });

  test("a template's own mark counts only if it names this machine", () => {
    writeFiles(folder, { "mark.service": `${unitMark} web\n${least()}`, "other.service": `${unitMark} web2\n${least()}` });
    const marks = (template: string): readonly string[] =>
      renderUnit(machine({ spec: { template: join(folder, template) } }))
        .split("\n")
        .filter((line) => line.startsWith(unitMark));
    expect(marks("mark.service")).toEqual([`${unitMark} web`]);
    expect(marks("other.service")).toEqual([`${unitMark} web`, `${unitMark} web2`]);
  });

  test("a template that makes no unit of a machine is refused, with all that it lacks and the default one to compare", () => {
    writeFiles(folder, { "empty.service": "[Unit]\nDescription={{ name }}\n" });
    const render = (): string => renderUnit(machine({ spec: { template: join(folder, "empty.service") } }));
    expect(render).toThrow(/empty\.service makes no unit of a machine:\n {2}one ExecStart= .*\n {2}nothing mounts the root/);
    expect(render).toThrow(expect.objectContaining({ hint: expect.stringContaining("templates/machine-default.service") }));
  });

  test("every variable of docs/unit.md is there for a template, and there are no others", () => {
    const docs = readFileSync(new URL("../../docs/unit.md", import.meta.url), "utf8");
    const documented = [...docs.matchAll(/^\| `(\w+)` /gm)].map(([, name]) => name);
    writeFiles(folder, { "context.service": `${least()}# {{ debug() }}\n` });
    const context = renderUnit(machine({ spec: { template: join(folder, "context.service") } })).split("\n# ")[1];
    const given = [...there(context).matchAll(/^ {8}"(\w+)": /gm)].map(([, name]) => name);
    expect(documented.toSorted()).toEqual(given.toSorted());
  });

  test("the example of docs/unit.md is a template that works", () => {
    const docs = readFileSync(new URL("../../docs/unit.md", import.meta.url), "utf8");
    writeFiles(folder, { "example.service": there(/\n```\n(\[Unit\][\s\S]*?)```/.exec(docs)?.[1]) });
    const spec = { template: join(folder, "example.service"), serviceConf: ["CPUQuota=5%"] };
    const settings = [setting("Bind", "/srv/x/"), setting("Slice", "x.slice")];
    const [own, plain] = [
      renderUnit(machine({ settings, spec })),
      renderUnit(machine({ settings, spec: { ...spec, template: undefined } })),
    ];
    const commands = (unit: string): readonly string[] => logicalLines(unit).filter((line) => /^Exec\w+=/.test(line));
    expect(
      commands(own)
        .map((line) => line.replace(/\s+/g, " "))
        .toSorted(),
    ).toEqual(
      commands(plain)
        .map((line) => line.replace(/\s+/g, " "))
        .toSorted(),
    );
    expect(keys(own)).not.toContainEqual(expect.stringContaining("WRONG"));
    expect(own).toMatch(/\nSlice=x\.slice\n[\s\S]*\nCPUQuota=5%\n/);
  });

  test("the template of the configuration is used where the script names none", () => {
    writeFiles(folder, { "all.service": least("Slice=all.slice\n"), "own.service": least("Slice=own.slice\n") });
    const config = testConfig(join(folder, "store"), `[machine]template=${folder}/all.service`).machine;
    expect(renderUnit(machine({ config }))).toContain("Slice=all.slice");
    expect(renderUnit(machine({ config, spec: { template: join(folder, "own.service") } }))).toContain("Slice=own.slice");
  });

  test("a zone is a line more, for what a crash leaves", () => {
    const unit = renderUnit(machine({ settings: [setting("Zone", "kin")] }));
    expect(keys(unit).length).toBe(keys(renderUnit(machine())).length + 1);
    expect(logicalLines(unit).filter((line) => line.startsWith("ExecStopPost=") && line.endsWith(" vz-kin"))).toHaveLength(1);
  });

  test("devices that Bind names are allowed, and Ephemeral is the root's part, not an option", () => {
    const unit = renderUnit(machine({ settings: [setting("Bind", "/dev/my disk"), setting("Ephemeral", "yes")] }));
    expect(unit).toContain('\nDeviceAllow="/dev/my disk" rw\n');
    expect(execStart(unit)).not.toContain("--ephemeral");
    expect(unit).not.toContain("touch");
  });

  test.each([
    [undefined, []],
    [252, []],
    [254, ["DelegateSubgroup=supervisor"]],
    [257, ["DelegateSubgroup=supervisor", "CoredumpReceive=yes"]],
  ])("for systemd %s there are only directives that it knows", (systemd, expected) => {
    const lines = renderUnit(machine({ systemd })).split("\n");
    expect(lines.filter((line) => /^(DelegateSubgroup|CoredumpReceive)=/.test(line))).toEqual(expected);
  });

  test("a template that is not there is told, with where it is named", () => {
    const config = testConfig(join(folder, "store"), "[machine]template=/no/such.service").machine;
    expect(() => renderUnit(machine({ config }))).toThrow(/^the template \/no\/such\.service of the unit is not there$/);
  });

  test("a template that is no text in UTF-8 is refused", () => {
    const path = join(folder, "bytes.service");
    writeFileSync(path, Buffer.from([0x23, 0xff, 0x0a]));
    expect(() => renderUnit(machine({ spec: { template: path } }))).toThrow(`the template ${path} of the unit is no text in UTF-8`);
  });

  test("a mistake in a template is told with its line", () => {
    writeFiles(folder, { "wrong.service": "[Service]\n{{ nspwan }}\n" });
    expect(() => renderUnit(machine({ spec: { template: join(folder, "wrong.service") } }))).toThrow(/wrong\.service:2: /);
  });

  test("the same machine gives the same unit", () => {
    expect(renderUnit(machine())).toBe(renderUnit(machine()));
  });

  test("a store in a folder with spaces and percent signs is quoted", () => {
    const odd = join(folder, "my 50% store");
    symlinkSync(join(folder, "store"), odd);
    const unit = renderUnit(machine({ layersFolder: join(odd, "extract"), paths: machinePaths("web", testConfig(odd)) }));
    const shown = odd.replaceAll("%", "%%");
    expect(unit.split("\n")).toContain(`WorkingDirectory=${shown}/extract`);
    const requires = there(unit.split("\n").find((line) => line.startsWith("RequiresMountsFor=")));
    expect(systemdWords(requires.slice("RequiresMountsFor=".length))).toEqual([
      `${odd}/extract`,
      `${odd}/runtime/web/1`,
      "/var/lib/machines/web",
    ]);
  });
});

describe("unitKey", () => {
  test("is the same for the same machine, and another wherever the unit may be another", () => {
    const template = join(folder, "own.service");
    writeFiles(folder, { "own.service": "[Service]\n" });
    const paths = (layer: number) => withLayer(machine().paths, layer);
    const keys = () => [
      unitKey(machine()),
      unitKey(machine({ systemd: 257 })),
      unitKey(machine({ script: "/srv/other/setup.ts" })),
      unitKey(machine({ settings: [setting("Hostname", "a")] })),
      unitKey(machine({ settings: [setting("Hostname", "b")] })),
      unitKey(machine({ paths: paths(2) })),
      unitKey(machine({ chain: machine().chain.slice(0, 1) })),
      unitKey(machine({ spec: { state: "keep" } })),
      unitKey(machine({ spec: { serviceConf: ["Nice=1"] } })),
      unitKey(machine({ spec: { template } })),
    ];
    const before = keys();
    expect(new Set(before).size).toBe(before.length);
    expect(keys()).toEqual(before);
    writeFileSync(template, "[Service]\n\n");
    expect(unitKey(machine({ spec: { template } }))).not.toBe(before.at(-1));
  });
});
