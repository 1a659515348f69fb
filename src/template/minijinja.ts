import { readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { setFlagsFromString } from "node:v8";

/** What is needed of it here: TypeScript knows it only for browsers. */
declare const WebAssembly: { readonly Module: new (bytes: Buffer) => Module; readonly compile: (bytes: Buffer) => Promise<Module> };
type Module = object;

type MiniJinja = typeof import("minijinja-js/dist/web/minijinja_js.js");

/** Where templates are, and are rendered. */
export type Environment = InstanceType<MiniJinja["Environment"]>;

const require = createRequire(import.meta.url);
let loaded: MiniJinja | undefined;
let preparing: Promise<void> | undefined;

/**
 * minijinja. Where it was not prepared, the first call takes 30 ms, and what it does first another 60: its functions are compiled when they are called
 * for the first time. Most commands render nothing. It is the build for browsers: that for Node compiles its WebAssembly by itself when it is
 * loaded, where this one is told when.
 */
export function loadMiniJinja(): MiniJinja {
  if (loaded) return loaded;
  const reset = setOptions([onceOnly]);
  try {
    return start(new WebAssembly.Module(readFileSync(wasmPath())));
  } finally {
    reset();
  }
}

/**
 * Has all of minijinja compiled in threads of V8, which takes 80 ms, and 20 of this thread's: for where there is something else to do, or to wait for,
 * meanwhile. Resolves when templates are rendered without delay. What goes wrong, {@link loadMiniJinja} throws.
 */
export async function prepareMiniJinja(): Promise<void> {
  preparing ??= compileBeside().catch(() => undefined);
  await preparing;
}

/** The version of minijinja, such as 2.11.0, without loading it. */
export function miniJinjaVersion(): string {
  const { version }: { readonly version: string } = require("minijinja-js/package.json");
  return version;
}

async function compileBeside(): Promise<void> {
  const bytes = await readFile(wasmPath());
  const reset = setOptions([onceOnly, allAtOnce]);
  try {
    const module = await WebAssembly.compile(bytes);
    if (!loaded) start(module);
  } finally {
    reset();
  }
}

function wasmPath(): string {
  return require.resolve("minijinja-js/dist/web/minijinja_js_bg.wasm");
}

function start(module: Module): MiniJinja {
  const miniJinja: MiniJinja = require("minijinja-js/dist/web/minijinja_js.js");
  miniJinja.initSync({ module });
  loaded = miniJinja;
  return miniJinja;
}

/** An option of V8, and what it is by default: with others than those, V8 does not use what Node has compiled of its own modules. */
type V8Option = { readonly wanted: string; readonly usual: string };

/**
 * Functions are not compiled again, as V8 does with those that it takes for busy: with a few templates that never pays, and a process cannot end as long
 * as V8 is at it (100 ms with minijinja's interpreter). The default is that of V8 11.3, which Node 20 has. With a later one that has another,
 * Node's modules load a little slower from then on.
 */
const onceOnly: V8Option = { wanted: `--wasm-tiering-budget=${2 ** 30}`, usual: "--wasm-tiering-budget=1800000" };

/** All functions are compiled at once, by several threads, and not each when it is called. */
const allAtOnce: V8Option = { wanted: "--no-wasm-lazy-compilation", usual: "--wasm-lazy-compilation" };

/** @returns what sets them back */
function setOptions(options: readonly V8Option[]): () => void {
  for (const { wanted } of options) setFlagsFromString(wanted);
  return () => {
    for (const { usual } of options) setFlagsFromString(usual);
  };
}
