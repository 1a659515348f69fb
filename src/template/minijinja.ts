import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { builtin } from "../base/builtin.js";

type MiniJinja = typeof import("minijinja-js/dist/web/minijinja_js.js");

/** Where templates are, and are rendered. */
export type Environment = InstanceType<MiniJinja["Environment"]>;

const require = createRequire(import.meta.url);
let loaded: MiniJinja | undefined;

/**
 * minijinja, loaded at the first call: that takes some 30 ms, and most commands render nothing. It is the build for browsers: that
 * for Node compiles its WebAssembly by itself when it is loaded, where this one is told when.
 */
export function loadMiniJinja(): MiniJinja {
  if (loaded) return loaded;
  const miniJinja: MiniJinja = require("minijinja-js/dist/web/minijinja_js.js");
  const module = readFileSync(require.resolve("minijinja-js/dist/web/minijinja_js_bg.wasm"));
  compiledOnce(() => miniJinja.initSync({ module }));
  loaded = miniJinja;
  return miniJinja;
}

/** The version of minijinja, such as 2.11.0, without loading it. */
export function miniJinjaVersion(): string {
  const { version }: { readonly version: string } = require("minijinja-js/package.json");
  return version;
}

/**
 * Has V8 compile WebAssembly whose functions it will not compile again, as it does with what it takes for busy: with a few templates that never
 * pays, and a process cannot end as long as V8 is at it (100 ms with minijinja's interpreter).
 */
function compiledOnce(compile: () => void): void {
  const { setFlagsFromString } = builtin("node:v8");
  setFlagsFromString(`--wasm-tiering-budget=${2 ** 30}`);
  try {
    compile();
  } finally {
    // As it is by default: with other flags than those, V8 does not use what Node has compiled of its own modules.
    setFlagsFromString(`--wasm-tiering-budget=${defaultBudget}`);
  }
}

/** Of V8 11.3, which Node 20 has. With a later one that has another default, Node's modules load a little slower from then on. */
const defaultBudget = 1_800_000;
