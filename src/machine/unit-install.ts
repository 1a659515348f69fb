/** What a unit says of how it starts with the host: the lines of its `[Install]` sections without comments, as in `WantedBy=machines.target`. */
export function installOf(unit: string): string {
  const [, ...sections] = `\n${unit}`.split(/^(?=\[)/m);
  const lines = sections.filter((section) => /^\[Install\]/.test(section)).flatMap((section) => section.split("\n").slice(1));
  return lines.filter((line) => /^\s*[^#;\s]/.test(line)).join("\n");
}

/** Whether a unit names what it starts with, or by which other name; an empty value takes back those before it: systemd.unit(5). */
export function canEnable(unit: string): boolean {
  const links = new Map<string, boolean>();
  for (const line of installOf(unit).split("\n")) {
    const [, key, value = ""] = /^\s*(WantedBy|RequiredBy|UpheldBy|Alias)\s*=\s*(.*)$/.exec(line) ?? [];
    if (key !== undefined) links.set(key, value !== "");
  }
  return [...links.values()].includes(true);
}
