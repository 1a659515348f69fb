import { existsSync, readdirSync, readFileSync, realpathSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { UsageError } from "../base/errors.js";
import { didYouMean } from "../base/nearest.js";

/** A folder with the two scripts of a service. */
export type Service = {
  readonly name: string;
  readonly folder: string;
  readonly build: string;
  readonly setup: string;
  /** What it does, in a few words: the first paragraph of its README.md. */
  readonly summary: string;
};

/** The services that come with the package, in the order of their names. */
export function packagedServices(): readonly Service[] {
  const folder = join(import.meta.dirname, "../../services");
  const entries = readdirSync(folder, { withFileTypes: true }).filter(
    (entry) => entry.isDirectory() && existsSync(join(folder, entry.name, "setup.ts")),
  );
  return entries.map(({ name }) => serviceIn(join(folder, name))).sort((a, b) => (a.name < b.name ? -1 : 1));
}

/**
 * A service by its name, or by the path of its folder, which has a `/` in it.
 * @throws UsageError if there is none
 */
export function findService(word: string): Service {
  if (word.includes("/") || word === "." || word === "..") return serviceAt(word);
  const services = packagedServices();
  const found = services.find(({ name }) => name === word);
  if (found) return found;
  const names = services.map(({ name }) => name);
  const hint = existsSync(word) ? `a folder is given as a path: ./${word}` : didYouMean(word, names);
  throw new UsageError(`there is no service ${JSON.stringify(word)}; there are ${names.join(", ")}`, { hint });
}

function serviceAt(path: string): Service {
  const folder = resolve(path);
  const missing = ["build.ts", "setup.ts"].filter((name) => !existsSync(join(folder, name)));
  if (missing.length === 0) return serviceIn(realpathSync(folder));
  throw new UsageError(`${path} is no service: it has no ${missing.join(" and no ")}`, {
    hint: "a service is a folder with build.ts and setup.ts; services/README.md of the package says more",
  });
}

function serviceIn(folder: string): Service {
  return {
    name: basename(folder),
    folder,
    build: join(folder, "build.ts"),
    setup: join(folder, "setup.ts"),
    summary: summaryOf(join(folder, "README.md")),
  };
}

function summaryOf(readme: string): string {
  const text = existsSync(readme) ? readFileSync(readme, "utf8") : "";
  const paragraphs = text.split(/\n\s*\n/).filter((paragraph) => !/^\s*(#|$)/.test(paragraph));
  return (paragraphs[0] ?? "").replace(/\s+/g, " ").trim();
}
