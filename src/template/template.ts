import { readdirSync, readFileSync, realpathSync, statSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { setImmediate, setTimeout } from "node:timers/promises";
import { builtin } from "../base/builtin.js";
import { hasCode, messageOf, NspawnError } from "../base/errors.js";
import { isWithin } from "../base/is-within.js";
import { nearest } from "../base/nearest.js";
import { packageVersion } from "../base/package-version.js";
import { sha256 } from "../base/sha256.js";
import { decodeUtf8 } from "../base/utf8.js";
import { type Failure, readFailure, type SourceLine, templateError } from "./failure.js";
import { type Composed, compose, inline } from "./inline.js";
import { type Environment, loadMiniJinja, miniJinjaVersion } from "./minijinja.js";
import { renderPlain } from "./plain.js";
import { prepareSource, resolveFilter } from "./source.js";
import { templateValues } from "./values.js";

type Variables = Readonly<Record<string, unknown>>;

/** `id`: its name in minijinja, which would take the ending of a path for a wish to escape HTML. */
type Template = { readonly id: string; readonly path: string; readonly source: string; readonly prepared: string };

/** Why a template that another one names cannot be had. */
type Unresolved = { readonly message: string; readonly hint?: string | undefined };

/**
 * A text that was rendered. `key`: as of {@link renderKey}; undefined where another template was named, even if that is not there: then the text is made
 * of more than that.
 */
export type Rendered = { readonly text: string; readonly key: string | undefined };

/** Whether a template is rendered without minijinja. */
export function isPlain(source: string, variables: Variables): boolean {
  return renderPlain(source, templateValues(variables)) !== undefined;
}

/**
 * Renders one Jinja template. Throws as {@link TemplateRenderer.render} does.
 * @param root the folder of all that it may include; by default its own
 */
export function renderTemplate(path: string, source: string, variables: Variables, root = dirname(path)): Rendered {
  const plain = renderPlain(source, templateValues(variables));
  if (plain !== undefined) return { text: plain, key: renderKey(source, variables) };
  const renderer = new TemplateRenderer(root);
  try {
    const text = renderer.render(path, source, variables);
    return { text, key: renderer.namesOthers ? undefined : renderKey(source, variables) };
  } finally {
    renderer.free();
  }
}

/** A digest of all that a text is made of, in hex, if no other template is named on the way: template, variables, and what renders them. */
export function renderKey(source: string, variables: Variables): string {
  return sha256(builtin("node:v8").serialize([rendererVersion(), source, templateValues(variables)]));
}

/** Goes up when the same template becomes another text: what is prepared in it, or how it is guarded, is another. */
const recipe = 1;
let version: string | undefined;

function rendererVersion(): string {
  version ??= `nspawn ${packageVersion()} ${recipe}, minijinja ${miniJinjaVersion()}`;
  return version;
}

/** Loads what renders, which takes some 30 ms, after what is to be waited for was started. */
export async function loadRenderer(): Promise<void> {
  await setTimeout(startPause);
  loadMiniJinja();
}

/**
 * Renders something for nothing, while there is something else to wait for: what minijinja does first takes most of 100 ms, since its functions are
 * compiled when they are called for the first time. Not at once, so that what is to be waited for can be started, and in parts, so that nobody waits
 * for all of it.
 */
export async function warmUp(): Promise<void> {
  const everyday =
    "{# #}{% for item in items %}{% if item.name %}\n{{ item.name }}={{ item.value }}{% endif %}{% endfor %}{{ items | length }}";
  await loadRenderer();
  await setImmediate();
  const renderer = new TemplateRenderer("/");
  for (const source of ["", everyday]) {
    await setImmediate();
    renderer.render("/", source, { items: [{ name: "a", value: "b" }] });
  }
  renderer.free();
}

/** Milliseconds. */
const startPause = 3;

/**
 * Renders Jinja templates that include, import and extend others: named relative to the template that names them or, with a slash at the
 * start, to the root folder, and never out of that.
 */
export class TemplateRenderer {
  readonly #root: string;
  readonly #environment: Environment;
  readonly #byPath = new Map<string, Template>();
  readonly #byId = new Map<string, Template>();
  /** Path → id of what other templates have named, and may. */
  readonly #named = new Map<string, string>();
  #namesOthers = false;
  /** Templates that the last attempt has read. minijinja takes them in only when it is not at work. */
  #read: Template[] = [];
  /** What was wrong with the name that was resolved last. */
  #unresolved: Unresolved | undefined;
  /** Template → the one that it extends, by their ids. */
  readonly #parents = new Map<string, string>();

  /** @param root the folder of all templates that can be named */
  constructor(root: string) {
    this.#root = root;
    const { Environment } = loadMiniJinja();
    this.#environment = new Environment();
    this.#environment.undefinedBehavior = "strict";
    this.#environment.keepTrailingNewline = true;
    // Then errors show where in the line they are.
    this.#environment.debug = true;
    this.#environment.enablePyCompat();
    // minijinja does not survive an exception in here.
    this.#environment.addFilter(resolveFilter, (name: unknown, from: string, keyword: string) => this.#resolve(name, from, keyword));
  }

  /**
   * Renders a template. A variable that is not defined is an error.
   * @param path its absolute path; `source` is what it says, which need not be there
   * @param variables texts, numbers, booleans, null, and lists and objects of them (the plan sees to it)
   * @throws TemplateError with file and line of whichever template is wrong
   */
  render(path: string, source: string, variables: Variables): string {
    const values = templateValues(variables);
    const template = this.#template(path, source);
    this.#add(template);
    const result = this.#attempt(template.id, values);
    if ("text" in result) return result.text;
    throw this.#explain(template, result.error, values);
  }

  /** Whether a template that was rendered names another one, whether there is that one or not: else it is made of nothing but itself and its variables. */
  get namesOthers(): boolean {
    return this.#namesOthers;
  }

  free(): void {
    this.#environment.free();
  }

  /** Renders again for each template that turns out to be needed; what is read stays. */
  #attempt(id: string, values: Variables): { readonly text: string } | { readonly error: unknown } {
    for (;;) {
      let result: { readonly text: string } | { readonly error: unknown };
      try {
        result = { text: this.#environment.renderTemplate(id, values) };
      } catch (error) {
        result = { error };
      }
      const read = this.#read.splice(0);
      if (read.length === 0) return result;
      for (const template of read) this.#add(template);
    }
  }

  #template(path: string, source: string): Template {
    const known = this.#byPath.get(path);
    if (known?.source === source) return known;
    const id = known?.id ?? `t${this.#byId.size}`;
    const template = { id, path, source, prepared: prepareSource(source, id) };
    this.#byPath.set(path, template);
    this.#byId.set(id, template);
    return template;
  }

  #add({ id, path, source, prepared }: Template): void {
    try {
      this.#environment.addTemplate(id, prepared);
    } catch (error) {
      throw this.#syntaxError(id, path, source) ?? new NspawnError(`${path}: ${firstLine(error)}`, { cause: error });
    }
  }

  /** A syntax error, with the place in the source as it was written. */
  #syntaxError(id: string, path: string, source: string): NspawnError | undefined {
    try {
      this.#environment.addTemplate(id, source);
      return undefined;
    } catch (error) {
      const failure = readFailure(messageOf(error));
      return failure && templateError(sourceLine(path, source, failure.line), failure, {});
    }
  }

  /** Called by minijinja with the name that a tag gives, or a list of names to be tried. */
  #resolve(name: unknown, from: string, keyword: string): unknown {
    this.#namesOthers = true;
    this.#unresolved = undefined;
    if (Array.isArray(name)) return name.map((item: unknown) => this.#resolve(item, from, keyword));
    if (typeof name !== "string") return name;
    try {
      const id = this.#idOf(name, from);
      if (keyword === "extends") this.#parents.set(from, id);
      return id;
    } catch (error) {
      const hint = error instanceof NspawnError ? error.hint : undefined;
      this.#unresolved = { message: messageOf(error), hint };
      // No name: an error that `ignore missing` does not ignore. A name that nothing has: one that it does.
      return error instanceof MissingTemplate ? missingId : undefined;
    }
  }

  /** The template that another one names, read if that is the first time. */
  #idOf(name: string, from: string): string {
    const path = resolve(name.startsWith("/") ? join(this.#root, name) : join(dirname(this.#byId.get(from)?.path ?? this.#root), name));
    const known = this.#named.get(path);
    if (known !== undefined) return known;
    const real = realPath(path);
    if (!isWithin(path, this.#root) || (real !== undefined && !isWithin(real, realPath(this.#root) ?? this.#root))) {
      throw new NspawnError(`the template ${JSON.stringify(name)} leads out of ${this.#root}`, { hint: "templates lie in that folder" });
    }
    if (real === undefined) throw new MissingTemplate(name, path);
    const template = this.#template(path, read(name, path));
    this.#read.push(template);
    this.#named.set(path, template.id);
    return template.id;
  }

  /**
   * The error of a template that cannot be rendered. Of one in an included template, or in a block that `super()` calls, minijinja says
   * only that there is one: the including text is rendered again with the other one in it.
   */
  #explain(root: Template, error: unknown, values: Variables): NspawnError {
    let failure = readFailure(messageOf(error));
    const composed = new Map<string, Composed>();
    for (let depth = 0; failure?.inside && depth < maxDepth; depth++) {
      const inner = this.#lookInside(root, failure, composed, values);
      if (!inner) break;
      failure = inner;
    }
    if (!failure) return new NspawnError(`${root.path} cannot be rendered: ${firstLine(error)}`, { cause: error });
    const origin = composed.get(failure.id)?.origins[failure.line - 1] ?? failure;
    const template = this.#byId.get(origin.id) ?? root;
    const at = sourceLine(template.path, template.source, origin.line);
    if (failure.inside?.kind === "template")
      return templateError(at, { message: "templates include each other too deeply", marked: undefined }, values);
    const isName = /^template not found|template name was not a string/.test(failure.message);
    if (isName && this.#unresolved) {
      return templateError(at, { message: this.#unresolved.message, marked: undefined }, values, this.#unresolved.hint);
    }
    return templateError(at, failure, values);
  }

  #lookInside(root: Template, failure: Failure, composed: Map<string, Composed>, values: Variables): Failure | undefined {
    if (failure.inside?.kind === "super") {
      const parent = this.#parents.get(failure.id);
      return parent === undefined ? undefined : this.#failureOf(parent, values);
    }
    const [outer, inner] = [failure.id, failure.inside?.id ?? ""].map((id) => {
      const template = this.#byId.get(id);
      return composed.get(id) ?? (template && compose(id, template.prepared));
    });
    const whole = outer && inner && inline(outer, failure.line, inner);
    if (!whole) return undefined;
    try {
      this.#environment.addTemplate(failure.id, whole.text);
    } catch {
      // Such as a block that both of them have: then the including line has to do.
      return undefined;
    }
    composed.set(failure.id, whole);
    return this.#failureOf(root.id, values);
  }

  #failureOf(id: string, values: Variables): Failure | undefined {
    const result = this.#attempt(id, values);
    return "error" in result ? readFailure(messageOf(result.error)) : undefined;
  }
}

/** The id of a template that is not there. */
const missingId = "missing";

/** Inclusions below each other that an error is looked for in. */
const maxDepth = 30;

class MissingTemplate extends NspawnError {
  constructor(name: string, path: string) {
    const near = nearest(basename(path), namesIn(dirname(path)));
    super(`there is no template ${JSON.stringify(name)}: ${path} is not there`, {
      hint: near && `did you mean ${join(dirname(name), near)}?`,
    });
  }
}

function read(name: string, path: string): string {
  if (!statSync(path).isFile()) throw new NspawnError(`the template ${JSON.stringify(name)} is no file`);
  const text = decodeUtf8(readFileSync(path));
  if (text === undefined) throw new NspawnError(`the template ${JSON.stringify(name)} is no text in UTF-8`);
  return text;
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

/** A path without symlinks, or undefined if nothing is there. */
function realPath(path: string): string | undefined {
  try {
    return realpathSync(path);
  } catch (error) {
    if (hasCode(error, "ENOENT", "ENOTDIR")) return undefined;
    throw error;
  }
}

function sourceLine(file: string, source: string, line: number): SourceLine {
  return { at: { file, line }, text: source.split(/\r?\n/)[line - 1] ?? "" };
}

function firstLine(error: unknown): string {
  return messageOf(error).split("\n")[0] ?? "";
}
