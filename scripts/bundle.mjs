// @ts-check
// Bundles the compiled modules of `build` into `dist`: a command that reads a few files starts sooner than one that reads hundreds.
// Each command and each module that scripts import stays a file of its own; what several share, or load only when it is needed, is a chunk.
// Arguments: other folders than these two.
import { chmodSync, existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { relative } from "node:path";
import { fileURLToPath } from "node:url";
import { rolldown } from "rolldown";

const project = fileURLToPath(new URL("../", import.meta.url));
const [compiled = `${project}build`, bundled = `${project}dist`] = process.argv.slice(2);
const { bin, exports, dependencies } = JSON.parse(readFileSync(`${project}package.json`, "utf8"));
const commands = Object.values(bin);
const modules = Object.values(exports).flatMap((target) => (typeof target === "object" ? [target.default.replace("./", "")] : []));
/** Module hooks run in a thread of their own, which loads them by their file. */
const hooks = "dist/script/hooks.js";

const bundle = await rolldown({
  input: Object.fromEntries([...commands, ...modules, hooks].map((path) => [nameOf(path), `${compiled}/${nameOf(path)}.js`])),
  platform: "node",
  // Native code and WebAssembly are looked up beside themselves.
  external: Object.keys(dependencies),
});
// Chunks lie as deep as all modules do, for the sake of `import.meta`.
const { output } = await bundle.write({ dir: bundled, entryFileNames: "[name].js", chunkFileNames: "chunk/[name]-[hash].js" });
for (const path of commands) chmodSync(`${bundled}/${nameOf(path)}.js`, 0o755);
writeFileSync(`${bundled}/LICENSES.txt`, licenses(output.flatMap((part) => (part.type === "chunk" ? part.moduleIds : []))));

/** @param {string} path of a file in dist */
function nameOf(path) {
  return path.replace(/^dist\/(.*)\.js$/, "$1");
}

/**
 * The licenses of the packages that are in the bundle, as these ask for.
 * @param {readonly string[]} modules
 */
function licenses(modules) {
  const folders = modules.flatMap((id) => /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+/.exec(id)?.[0] ?? []);
  const parts = [...new Set(folders)].sort().map((folder) => {
    const { name, version, license } = JSON.parse(readFileSync(`${folder}/package.json`, "utf8"));
    const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry));
    if (!file || !existsSync(`${folder}/${file}`)) throw new Error(`${relative(project, folder)} has no license file`);
    return `${name} ${version} (${license})\n\n${readFileSync(`${folder}/${file}`, "utf8").trim()}\n`;
  });
  return parts.join(`\n${"-".repeat(80)}\n\n`);
}
