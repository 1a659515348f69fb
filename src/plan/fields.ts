/** Checkers of the fields that keywords take. */
import { normalize } from "node:path";
import { isPlainObject, isRecord } from "../base/is-record.js";
import { didYouMean } from "../base/nearest.js";
import { catalog, isSettingName, type SettingName } from "../settings/catalog.js";
import { type ImageRef, imageRef } from "./image-ref.js";
import { checkMachineName } from "./machine-name.js";
import { probe } from "./probe.js";
import { type Cause, type Checker, listOf, Mismatch, matching, never, oneOf, optional, text, unlike } from "./shape.js";

export const url: Checker<ImageRef> = (value) => {
  const example = "a URL looks like https://host/path/name.tar.zst or file:///path/name.tar.zst";
  const given = text("a URL")(value);
  if (given instanceof Mismatch) return unlike("a URL", value, example);
  const image = imageRef(given);
  return typeof image === "string" ? new Mismatch([{ path: "", message: image, hint: example, near: given }]) : image;
};

export const digest = optional(matching(/^sha256:[0-9a-f]{64}$/, "sha256: and 64 hexadecimal digits"));

export const grants = optional(
  listOf<SettingName>((value) => {
    if (typeof value === "string" && isSettingName(value)) return value;
    return unlike("the name of a setting", value, typeof value === "string" ? didYouMean(value, Object.keys(catalog)) : undefined);
  }, "a list of settings' names"),
);

/** A path below the script's folder, written with or without a slash at its start; the result has one. */
export const sourcePath: Checker<string> = inFolder("the script's folder", "move what it names into the script's folder");

/** A path in an archive; the result has a slash at its start, and `/` is all of it. */
export const archivePath: Checker<string> = inFolder("the archive", "name a file or a folder in it, or / for all of it");

/** An absolute path in the image, or on the host. A slash at its end stays, and stands for a folder. */
export const targetPath: Checker<string> = (value) => {
  const path = text("an absolute path")(value);
  if (path instanceof Mismatch) return path;
  if (path.startsWith("/")) return normalize(path);
  return unlike("an absolute path", path, `write ${JSON.stringify(normalize(`/${path}`))}`);
};

/** What says both: a path in the source, and the same one as the target. */
export const bothPaths =
  (source: Checker<string>): Checker<{ readonly source: string; readonly target: string }> =>
  (value) => {
    const from = source(value);
    const to = targetPath(value);
    if (from instanceof Mismatch) return from;
    return to instanceof Mismatch ? to : { source: from, target: to };
  };

/** For a call that has `path`, and `source` or `target` too. */
export const notBesidePath = never("path says both source and target: give it alone, or these two");

function inFolder(folder: string, hint: string): Checker<string> {
  return (value) => {
    const path = text(`a path in ${folder}`)(value);
    if (path instanceof Mismatch) return path;
    if (path.split("/").includes("..")) {
      return new Mismatch([{ path: "", message: `${JSON.stringify(path)} leads out of ${folder}`, hint, near: path }]);
    }
    const normal = normalize(`/${path}`);
    return normal.length > 1 && normal.endsWith("/") ? normal.slice(0, -1) : normal;
  };
}

const machineName: Checker<string> = (value) => {
  const name = text("a machine name")(value);
  const wrong = name instanceof Mismatch ? undefined : checkMachineName(name);
  return wrong === undefined ? name : new Mismatch([{ path: "", message: wrong, hint: nameHint(String(value)), near: String(value) }]);
};

/** A name like it that is right, if there is one. */
function nameHint(name: string): string | undefined {
  const like = name
    .trim()
    .replace(/[^A-Za-z0-9.]+/g, "-")
    .replace(/^[.-]+|[.-]+$/g, "")
    .toLowerCase()
    .slice(0, 64);
  return like !== "" && checkMachineName(like) === undefined ? `write ${JSON.stringify(like)}` : undefined;
}

const word = matching(/^[A-Za-z0-9][A-Za-z0-9+.:~_-]*$/, "a name of letters, digits and + . : ~ _ -");
const confLine = matching(/^[A-Za-z][A-Za-z0-9]*=([^\n\r\0]*[^\n\r\0\\])?$/, "one line of a unit such as CPUQuota=50%");
const confLines = optional(listOf(confLine, "a list of lines of a unit"));
const mirror: Checker<string> = (value) => {
  if (typeof value !== "string" || !URL.canParse(value) || !/^(https?|file):/.test(value))
    return unlike("an http:, https: or file: URL", value);
  const { username, password } = new URL(value);
  if (username === "" && password === "") return value;
  // The value itself is not in the message.
  return new Mismatch([{ path: "", message: "the URL has a login in it, which would be in the image for all to read", hint: noLogin }]);
};
const noLogin = "a mirror with a login needs a proxy that adds it, such as one in [proxy] of the configuration";

export const bootstrapShape = {
  distribution: oneOf("debian", "ubuntu"),
  release: word,
  packages: optional(listOf(word, "a list of package names")),
  mirror: optional(mirror),
  components: optional(listOf(word, "a list of components")),
  variant: optional(oneOf("apt", "essential", "minbase", "important", "standard")),
};

export const machineShape = {
  name: machineName,
  template: optional(sourcePath),
  unitConf: confLines,
  serviceConf: confLines,
  installConf: confLines,
  state: optional(oneOf("volatile", "keep")),
  probe: optional(probe),
};

/** Variables of a template: texts, numbers, booleans, null, and lists and objects of them. */
export const variables: Checker<Readonly<Record<string, unknown>>> = (value) => {
  if (!isRecord(value)) return unlike("an object with the template's variables", value);
  const causes = [...unusable(value, [])];
  return causes.length > 0 ? new Mismatch(causes) : value;
};

/** What a template could not show: functions, symbols, dates and the like, and what contains itself. */
function* unusable(value: unknown, above: readonly unknown[]): Generator<Cause> {
  const usable = "what a template can show (texts, numbers, booleans, null, lists and objects of them)";
  if (value === null || value === undefined || typeof value === "string" || Number.isFinite(value) || typeof value === "boolean") return;
  if (above.includes(value)) yield { path: "", message: `expected ${usable}, got an object that contains itself` };
  else if (Array.isArray(value) || isPlainObject(value)) {
    for (const [key, item] of Object.entries(value)) {
      const name = Array.isArray(value) ? `[${key}]` : key;
      yield* new Mismatch([...unusable(item, [...above, value])]).within(name).causes;
    }
  } else yield* unlike(usable, value, value instanceof Date ? "make it a text before, as by toISOString()" : undefined).causes;
}
