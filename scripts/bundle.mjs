// @ts-check
// Bundles the compiled modules of `build` into `dist`: a command that reads a few files starts sooner than one that reads hundreds, and one
// whose modules are CommonJS sooner than one that has Node start its loader of ES modules.
// - cli/NAME.cjs: a command
// - chunk/*.cjs: what several commands share, or load only when it is needed
// - dsl/KIND.js: what scripts import; it passes on what keywords/KIND.cjs has, which is there once, however it is imported
// - script/hooks.js: Node runs module hooks in a thread of their own
// Arguments: other folders than these two.
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, realpathSync, writeFileSync } from "node:fs";
import { basename, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { rolldown } from "rolldown";

const project = fileURLToPath(new URL("../", import.meta.url));
const [compiled = `${project}build`, bundled = `${project}dist`] = process.argv.slice(2);
const { bin, exports, dependencies } = JSON.parse(readFileSync(`${project}package.json`, "utf8"));
const commands = Object.keys(bin);
const kinds = Object.values(exports).flatMap((target) => (typeof target === "object" ? [basename(target.default, ".js")] : []));

/** commander loads node:child_process, which takes 6 ms, for commands that are programs of their own: we have none. */
const withoutPrograms = {
  name: "without-programs",
  resolveId: (/** @type {string} */ id, /** @type {string | undefined} */ importer) =>
    id === "node:child_process" && importer?.includes("/node_modules/commander/") ? "\0no-programs" : undefined,
  load: (/** @type {string} */ id) => (id === "\0no-programs" ? "export {};" : undefined),
};

/**
 * What is loaded together lies in one file: from 56 files a plan takes 4 to 6 ms longer than from 23. Of several groups that take a module, with all that it imports, the first
 * one has it.
 */
const groups = [
  { name: "start", test: moduleOf("cli/session") },
  { name: "script", test: moduleOf("cli/(script-command|root-work|show)") },
  { name: "enter", test: moduleOf("cli/enter-as-root") },
  { name: "plan", test: moduleOf("plan/(build-plan|setup-plan)") },
  { name: "store", test: moduleOf("(image/(store|inherit|link-chain)|transport/transports|config/load)") },
].map((group, index, all) => ({ ...group, priority: all.length - index }));

/** @param {string} path */
function moduleOf(path) {
  return new RegExp(`^${realpathSync(compiled).replace(/\W/g, "\\$&")}/${path}\\.js$`);
}

const inputs = [...commands.map((name) => [`cli/${name}`, `cli/${name}`]), ...kinds.map((kind) => [`keywords/${kind}`, `dsl/${kind}`])];
const chunks = await write("cjs", Object.fromEntries(inputs));
for (const { name } of groups) if (!chunks.some((chunk) => chunk.name === name)) throw new Error(`no module is in the group ${name}`);
const hooks = await write("es", { "script/hooks": "script/hooks" });
for (const name of commands) chmodSync(`${bundled}/cli/${name}.cjs`, 0o755);
mkdirSync(`${bundled}/dsl`, { recursive: true });
for (const kind of kinds) {
  const names = chunks.find(({ name }) => name === `keywords/${kind}`)?.exports.join(", ");
  const keywords = `import keywords from "../keywords/${kind}.cjs";\n\nconst { ${names} } = keywords;\nexport { ${names} };\n`;
  writeFileSync(`${bundled}/dsl/${kind}.js`, keywords);
}
writeFileSync(`${bundled}/LICENSES.txt`, licenses([...chunks, ...hooks].flatMap(({ moduleIds }) => moduleIds)));

/**
 * Bundles modules. Chunks lie as deep as all modules do, for the sake of `import.meta`.
 * @param {"cjs" | "es"} format
 * @param {Readonly<Record<string, string>>} input by where it goes in dist, without the ending
 */
async function write(format, input) {
  const bundle = await rolldown({
    input: Object.fromEntries(Object.entries(input).map(([target, path]) => [target, `${compiled}/${path}.js`])),
    platform: "node",
    // Native code and WebAssembly are looked up beside themselves.
    external: Object.keys(dependencies),
    plugins: [withoutPrograms],
  });
  const ending = format === "es" ? "js" : "cjs";
  const { output } = await bundle.write({
    dir: bundled,
    format,
    ...(format === "cjs" ? { codeSplitting: { groups } } : {}),
    entryFileNames: `[name].${ending}`,
    chunkFileNames: `chunk/[name]-[hash].${ending}`,
  });
  return output.flatMap((part) => (part.type === "chunk" ? [part] : []));
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
