/** One `key = value` of a file. A value over several lines has them joined by line breaks, without indents, comments and empty lines. */
export type IniEntry = { readonly section: string; readonly key: string; readonly text: string; readonly line: number };

type IniSection = { readonly name: string; readonly line: number };

type IniProblem = { readonly line: number; readonly message: string };

/** What a file says, in its order, and the lines that say nothing. */
export type Ini = {
  readonly entries: readonly IniEntry[];
  readonly sections: readonly IniSection[];
  readonly problems: readonly IniProblem[];
};

/**
 * Reads the INI dialect of the Python tool, which is that of Python's configparser in short: `[section]` or `[section/name]`,
 * `key = value`; a line that is indented deeper than its key goes on with the value; lines that begin with `#` or `;` are comments,
 * inside a value too. There are no comments behind a value. What `$` means comes later, see `expand.ts`.
 *
 * Own code, since the libraries for INI files know neither values over several lines nor the lines of keys.
 */
export function parseIni(content: string): Ini {
  const entries: IniEntry[] = [];
  const sections: IniSection[] = [];
  const problems: IniProblem[] = [];
  let section: string | undefined;
  let open: { readonly indent: number; readonly entry: IniEntry; readonly values: string[] } | undefined;
  const close = (): void => {
    if (open) entries.push({ ...open.entry, text: open.values.filter((value) => value !== "").join("\n") });
    open = undefined;
  };
  for (const [index, raw] of content
    .replace(/^\ufeff/, "")
    .split(/\r?\n/)
    .entries()) {
    const line = index + 1;
    const text = raw.trim();
    if (text === "" || /^[#;]/.test(text)) continue;
    const indent = raw.length - raw.trimStart().length;
    if (open && indent > open.indent) {
      open.values.push(text);
      continue;
    }
    close();
    const header = /^\[([^[\]]+)\]$/.exec(text)?.[1]?.trim();
    if (header) {
      section = header;
      sections.push({ name: section, line });
      continue;
    }
    const assignment = /^([^=]*[^=\s])\s*=\s*(.*)$/s.exec(text);
    if (!assignment?.[1]) problems.push({ line, message: `${JSON.stringify(text)} is neither [section] nor key = value` });
    else if (section === undefined) problems.push({ line, message: `the key ${assignment[1]} stands before any [section]` });
    else open = { indent, entry: { section, key: assignment[1], text: "", line }, values: [assignment[2] ?? ""] };
  }
  close();
  return { entries, sections, problems };
}
