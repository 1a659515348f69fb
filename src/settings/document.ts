import { isList, rowOf, type SettingName, type SettingRow, settingNames, writableName } from "./catalog.js";

/** What scripts/generate writes from the catalog, for people and for editors. */

const sections = [
  { section: "Exec", title: "[Exec]", intro: "The first process of the machine, its rights and its limits." },
  { section: "Files", title: "[Files]", intro: "The machine's root, and what is mounted into it." },
  { section: "Network", title: "[Network]", intro: "Without any of these, the machine is in the host's network." },
  { section: "option", title: "Options", intro: "Options of systemd-nspawn(1) that a .nspawn file has no settings for." },
] as const;

/** docs/settings.md: each setting with its values, version, option and whether an image needs a grant for it. */
export function settingsDocument(): string {
  const parts = sections.map(({ section, title, intro }) => {
    const entries = settingNames.flatMap((name) => {
      const row = rowOf(name);
      return row?.section === section ? [settingSection(name, row)] : [];
    });
    return `## ${title}\n\n${intro}\n\n${entries.join("\n")}`;
  });
  return `${introduction}\n${parts.join("\n")}`;
}

/** src/settings/settings.ts: the type of what WITH takes. */
export function settingsTypes(): string {
  const properties = settingNames.flatMap((name) => {
    const row = rowOf(name);
    return row ? [property(name, row)] : [];
  });
  return `${typesHead}export type Settings = {\n${properties.join("\n")}\n};\n`;
}

const introduction = `# Settings

<!-- Written by scripts/generate from src/settings/catalog. -->

What WITH takes: the settings of systemd.nspawn(5) under their own names, and options of systemd-nspawn(1) under names of the same kind.

\`\`\`ts
WITH({
  Boot: true,
  Environment: { TZ: "UTC", GREETING: "hello world" },
  Bind: [{ source: "/srv/web/", target: "/srv/web" }, "/srv/logs/:/var/log"],
  LimitNOFILE: 4096,
  Capability: ["CAP_NET_ADMIN"],
  Port: "tcp:8080:80",
});
\`\`\`

**Values.** Booleans are \`true\` and \`false\`, or any word of systemd for them (\`"yes"\`, \`"off"\`, …). Numbers may be written as
such. A list takes one item or an array of items; where a .nspawn file has several on one line (capabilities, interfaces, users,
arguments), so may a text. Variables, credentials and properties may be fields of an object. All of that comes down to the texts that
systemd.nspawn(5) has after the \`=\`, which work as well: \`Boot: "yes"\`, \`Bind: "/srv/a:/a"\`.

- A text of \`Environment\` is one assignment, spaces and quotes included: \`"A=1 B=2"\` sets \`A\` to \`1 B=2\`. Several are an array or an object.
- In texts of mounts, a colon or a backslash that belongs to a path has a backslash before it; objects need none.

**Inheritance.** A single value is taken from the nearest: the setup script, then the image, then its parents from the top down. Lists add
up, farthest first; the same item counts once. Of items about the same thing the nearest counts: one variable, one credential, one port of
the host, one place that something is mounted at. \`null\` takes away what was inherited: \`WITH({ Bind: null })\`.

**Trust.** What opens the host to the machine ("images need a grant" below) counts only if the setup script gives it too, or grants it
(\`IMAGE(url, { grant: ["Bind"] })\`), or if the image came from a \`file:\` URL.

**Versions.** A setting or a word that the host's systemd does not know yet is refused before anything is done.
`;

const typesHead = `// Written by scripts/generate from src/settings/catalog: do not edit.
import type { BindSpec, OverlaySpec, ReadOnly, TemporaryFileSystemSpec } from "./kinds/mount.js";
import type { CapabilityName, SignalName } from "./kinds/process.js";
import type { BooleanText } from "./kinds/words.js";

/** What WITH takes: settings of systemd.nspawn(5) under their own names; \`null\` takes away what an image has set. */
`;

function settingSection(name: SettingName, row: SettingRow): string {
  const { doc, kind } = row;
  const facts = [
    `takes ${isList(name) ? "one or several: " : ""}${escapeMarkdown(kind.expected)}`,
    `for example \`${name}: ${literal(kind.example)}\``,
    `${row.option === "" ? "arguments at the end" : `\`${writtenOf(row)}\``}, since systemd ${row.since}; ${grantOf(row)}`,
  ];
  return `### ${name}\n\n${escapeMarkdown(doc)}\n\n${facts.map((fact) => `- ${fact}\n`).join("")}`;
}

function property(name: SettingName, row: SettingRow): string {
  const { kind, since, doc } = row;
  const lines = [
    doc,
    "",
    `Takes ${isList(name) ? "one or several: " : ""}${kind.expected}.`,
    `${row.option === "" ? "Arguments at the end" : writtenOf(row)}, since systemd ${since}; ${grantOf(row)}.`,
    "",
    `@example ${name}: ${literal(kind.example)}`,
  ];
  // What ends a comment may be in no text.
  const comment = lines.map((line) => `   *${line === "" ? "" : ` ${line.replaceAll("*/", "* /")}`}\n`).join("");
  return `  /**\n${comment}   */\n${declaration(`  readonly ${name}?:`, typeOf(name, row))}`;
}

function typeOf(name: SettingName, { kind }: SettingRow): readonly string[] {
  const isReadOnly = writableName(name) !== undefined;
  const item = kind.type.split(" | ").map((type) => (isReadOnly && type.endsWith("Spec") ? `ReadOnly<${type}>` : type));
  const list = item.length > 1 ? `readonly (${item.join(" | ")})[]` : `readonly ${item[0]}[]`;
  const fields = kind.fields ? [`Readonly<Record<string, ${kind.fields.type}>>`] : [];
  return [...item, ...(isList(name) ? [list] : []), ...fields, "null"];
}

/** A union in the layout of the formatter: each member on a line of its own where one line is too short. */
function declaration(start: string, members: readonly string[]): string {
  const line = `${start} ${members.join(" | ")};`;
  return line.length <= 140 ? line : `${start}\n${members.map((member) => `    | ${member}`).join("\n")};`;
}

/** How a value is written for systemd: as an option, or as a line of the unit. */
function writtenOf({ option, form }: SettingRow): string {
  switch (form) {
    case "flag":
      return option;
    case "separate":
      return `${option} …`;
    case "directive":
      return "[Service] Slice=…";
    case "directives":
      return "[Service] NAME=…";
    default:
      return `${option}=…`;
  }
}

function grantOf({ privileged }: SettingRow): string {
  if (privileged === "allow-list") return "images may deny, and need a grant to allow";
  return privileged === "yes" ? "images need a grant" : "images may set it";
}

/** A value as a script has it. */
function literal(value: unknown): string {
  return JSON.stringify(value, undefined, 1)
    .replace(/\n\s*/g, " ")
    .replace(/"([A-Za-z_]\w*)":/g, "$1:")
    .replace(/\[ /g, "[")
    .replace(/ \]/g, "]");
}

/** What Markdown would take for something else. */
function escapeMarkdown(text: string): string {
  return text.replace(/[[\]<>*_~\\|]/g, "\\$&");
}
