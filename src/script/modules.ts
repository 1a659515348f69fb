import { readFileSync, realpathSync } from "node:fs";
import { createRequire, isBuiltin, register, SourceMap } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import vm from "node:vm";
import { addSourceMap, showSourcePlaces } from "../base/source-places.js";
import { addImportPlace, compile } from "./compile.js";
import { isFile, isRelative, type ScriptUrls, typescriptFile } from "./find-module.js";
import { isImportError } from "./problem.js";

/** Whether Node was started with what {@link ScriptModules} needs: `--experimental-vm-modules`, as our commands are. */
export function hasModules(): boolean {
  return typeof vm.SourceTextModule === "function";
}

/** Has Node itself load scripts, and what packages import, by hooks in a thread of theirs: that takes a tenth of a second to start. */
export function registerHooks(urls: ScriptUrls): void {
  process.setSourceMapsEnabled(true);
  register(new URL("script/hooks.js", urls.package), { data: urls });
}

type Attributes = Readonly<Record<string, string>>;
/** What our own modules export, by the specifiers that stand for them. */
export type Keywords = Readonly<Record<string, () => Promise<object>>>;
type Import = (specifier: string, options: { readonly with: Attributes }) => Promise<object>;

/**
 * A script with the modules that lie beside it, compiled in memory and linked here (https://nodejs.org/api/vm.html#class-vmsourcetextmodule).
 * Packages are left to Node, with its hooks.
 */
export class ScriptModules {
  readonly #urls: ScriptUrls;
  readonly #keywords: Keywords;
  readonly #own = new Map<string, vm.SourceTextModule>();
  readonly #sources = new Map<string, string>();
  readonly #outer = new Map<string, Promise<vm.Module>>();
  /** Of each module, which others it imports by which names. */
  readonly #imports: { readonly parent: string; readonly specifier: string }[] = [];
  #linked: Promise<unknown> = Promise.resolve();
  #hooked = false;

  constructor(urls: ScriptUrls, keywords: Keywords) {
    this.#urls = urls;
    this.#keywords = keywords;
    showSourcePlaces();
  }

  /**
   * Runs the script.
   * @throws what it throws, or why it cannot be compiled or linked
   */
  async run(): Promise<void> {
    await this.#start(this.#ownModule(this.#urls.script));
  }

  async #start(module: vm.Module): Promise<void> {
    // One after the other: a module that another import is about to link would count as linked.
    const linked = this.#linked.then(() => this.#link(module));
    this.#linked = linked.catch(() => undefined);
    await linked;
    await module.evaluate();
  }

  async #link(module: vm.Module): Promise<void> {
    if (module.status !== "unlinked") return;
    try {
      await module.link((specifier, { identifier }, { attributes }) => this.#find(specifier, identifier, (attributes ?? {}) as Attributes));
    } catch (error) {
      throw this.#withFile(error);
    }
  }

  async #find(specifier: string, parent: string, attributes: Attributes): Promise<vm.Module> {
    this.#imports.push({ parent, specifier });
    const keywords = this.#keywords[specifier];
    if (keywords !== undefined) return this.#outerModule(specifier, keywords);
    if (isBuiltin(specifier)) return this.#nativeModule(specifier, parent, attributes);
    try {
      const url = fileUrl(specifier, parent);
      if (url !== undefined && isOwn(url)) return this.#ownModule(url);
      if (attributes.type !== "json") this.#hook();
      return await this.#nativeModule(url ?? specifier, parent, attributes);
    } catch (error) {
      if (error instanceof Error && isImportError(error))
        addImportPlace(error, specifier, fileURLToPath(parent), this.#sources.get(parent) ?? "");
      throw error;
    }
  }

  #ownModule(url: string): vm.SourceTextModule {
    const known = this.#own.get(url);
    if (known) return known;
    const path = fileURLToPath(url);
    const source = readFileSync(path, "utf8");
    const { code, map } = compile(path, source);
    if (map) addSourceMap(url, new SourceMap({ file: path, sourceRoot: "", ...map, sourcesContent: [] }));
    const module = new vm.SourceTextModule(code, {
      identifier: url,
      initializeImportMeta: (meta) => Object.assign(meta, this.#meta(url)),
      importModuleDynamically: async (specifier, _, given) => {
        const found = await this.#find(specifier, url, given as Attributes);
        // One that waits for something counts as evaluated: who imports it waits, too. One that is at work now is about to go on.
        if (found.status !== "evaluating") await this.#start(found);
        return found;
      },
    });
    this.#own.set(url, module);
    this.#sources.set(url, source);
    return module;
  }

  #meta(url: string): object {
    const path = fileURLToPath(url);
    const resolve = (specifier: string): string => {
      const keywords = this.#urls.keywords[specifier];
      if (keywords !== undefined) return keywords;
      if (isBuiltin(specifier)) return specifier.startsWith("node:") ? specifier : `node:${specifier}`;
      const isPlace = isRelative(specifier) || specifier.startsWith("/") || URL.canParse(specifier);
      return isPlace ? new URL(specifier, url).href : pathToFileURL(createRequire(path).resolve(specifier)).href;
    };
    return { url, filename: path, dirname: dirname(path), resolve };
  }

  /** What Node loads itself: there is one of each, whoever imports it. */
  #nativeModule(specifier: string, parent: string, attributes: Attributes): Promise<vm.Module> {
    const key = JSON.stringify([specifier, isRelative(specifier) || !URL.canParse(specifier) ? parent : "", attributes]);
    return this.#outerModule(key, () => importNative(specifier, parent, attributes));
  }

  #outerModule(key: string, load: () => Promise<object>): Promise<vm.Module> {
    const found = this.#outer.get(key) ?? load().then((namespace) => syntheticModule(key, namespace));
    this.#outer.set(key, found);
    return found;
  }

  #hook(): void {
    if (!this.#hooked) registerHooks(this.#urls);
    this.#hooked = true;
  }

  /** Of an import of what a module does not have Node does not say, here, which file it is in: it goes before the stack, as Node has it elsewhere. */
  #withFile(error: unknown): unknown {
    const [, module, name] =
      error instanceof SyntaxError
        ? (/^The requested module '(.*)' does not provide an export named '(.*)'$/s.exec(error.message) ?? [])
        : [];
    if (!(error instanceof Error) || module === undefined || name === undefined) return error;
    const parents = this.#imports.filter(({ specifier }) => specifier === module).map(({ parent }) => parent);
    const parent = parents.find((url) => this.#sources.get(url)?.includes(name)) ?? this.#urls.script;
    error.stack = `${fileURLToPath(parent)}:1\n\n${error.stack}`;
    return error;
  }
}

/** The file that an import names by its place, undefined if it names a package. */
function fileUrl(specifier: string, parent: string): string | undefined {
  if (!isRelative(specifier) && !specifier.startsWith("/") && !specifier.startsWith("file:")) return undefined;
  const url = new URL(specifier, parent);
  const found = isFile(url.href) ? url : typescriptUrl(specifier, parent);
  if (found === undefined) throw Object.assign(new Error(`there is no module ${fileURLToPath(url)}`), { code: "ERR_MODULE_NOT_FOUND" });
  const real = pathToFileURL(realpathSync(found));
  return `${real.href}${found.search}${found.hash}`;
}

function typescriptUrl(specifier: string, parent: string): URL | undefined {
  const found = isRelative(specifier) ? typescriptFile(specifier, parent) : undefined;
  return found === undefined ? undefined : new URL(found);
}

/** Whether a file is a module of the script's own: one that would be taken for CommonJS, or is of a package, is left to Node. */
function isOwn(url: string): boolean {
  const path = fileURLToPath(url);
  if (/\.m?ts$/.test(path)) return true;
  if (path.includes("/node_modules/")) return false;
  return path.endsWith(".mjs") || (path.endsWith(".js") && isModule(path));
}

/** As Node tells it: by the nearest package.json, and where that does not say it, by what is written there. */
function isModule(path: string): boolean {
  const type = packageType(dirname(path));
  return type === undefined ? /^\s*(?:import\b(?!\s*\()|export\b)/m.test(readFileSync(path, "utf8")) : type === "module";
}

function packageType(folder: string): string | undefined {
  try {
    const { type } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as { readonly type?: string };
    return type;
  } catch {
    return dirname(folder) === folder ? undefined : packageType(dirname(folder));
  }
}

function importNative(specifier: string, parent: string, attributes: Attributes): Promise<object> {
  const path = parent.startsWith("file:") ? fileURLToPath(parent) : parent;
  const load = new vm.Script("(specifier, options) => import(specifier, options)", {
    filename: path,
    importModuleDynamically: vm.constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
  }).runInThisContext() as Import;
  return load(specifier, { with: { ...attributes } });
}

function syntheticModule(identifier: string, namespace: object): vm.Module {
  const names = Object.keys(namespace);
  return new vm.SyntheticModule(
    names,
    function () {
      for (const name of names) this.setExport(name, Reflect.get(namespace, name));
    },
    { identifier },
  );
}
