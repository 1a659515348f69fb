// Writes what is made from tables in the code, or from the default template: documents, types, code and the commented configuration. Started by scripts/generate.
import { writeFileSync } from "node:fs";

const project = new URL("../", import.meta.url);

/** Each file, with the module of `build` that makes its text, and the function there. */
const files = [
  { path: "docs/settings.md", module: "build/settings/document.js", make: "settingsDocument" },
  { path: "src/settings/settings.ts", module: "build/settings/document.js", make: "settingsTypes" },
  { path: "src/machine/default-unit.ts", module: "build/machine/default-unit-code.js", make: "defaultUnitCode" },
  { path: "docs/config.md", module: "build/config/document.js", make: "configDocument" },
  { path: "config.ini", module: "build/config/document.js", make: "configFile" },
];

for (const { path, module, make } of files) {
  const { [make]: text } = await import(new URL(module, project).href);
  writeFileSync(new URL(path, project), text());
}
