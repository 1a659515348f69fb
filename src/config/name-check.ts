import { didYouMean } from "../base/nearest.js";
import { authKeys, type KeySchema, retired, schema } from "./schema.js";

/** What a name in a file stands for. */
export type NameCheck =
  | { readonly kind: "key"; readonly key: KeySchema }
  /** It meant something to the Python tool. */
  | { readonly kind: "retired"; readonly reason: string }
  | { readonly kind: "unknown"; readonly message: string };

/** Looks a key of a section up. */
export function checkKey(section: string, name: string): NameCheck {
  const reason = retiredReason(section, name);
  if (reason !== undefined) return { kind: "retired", reason };
  const keys = keysOf(section);
  if (!keys) return unknownSection(section);
  const key = Object.hasOwn(keys, name) ? keys[name] : undefined;
  return key
    ? { kind: "key", key }
    : { kind: "unknown", message: `[${section}] has no key ${name}; ${suggestion(name, Object.keys(keys))}` };
}

/** Looks a section up, for those without keys too; undefined if it is all right. */
export function checkSection(section: string): NameCheck | undefined {
  const reason = retiredReason(section, "*");
  if (reason !== undefined) return { kind: "retired", reason };
  return keysOf(section) ? undefined : unknownSection(section);
}

/** The host that a section `[auth/HOST]` is for, as it is in a URL; undefined if the section is none. */
export function authHost(section: string): string | undefined {
  const host = section.startsWith("auth/") ? section.slice("auth/".length).toLowerCase() : "";
  return /^[a-z0-9._-]+$/.test(host) || /^\[[0-9a-f:.]+\]$/.test(host) ? host : undefined;
}

function keysOf(section: string): Readonly<Record<string, KeySchema>> | undefined {
  if (authHost(section) !== undefined) return authKeys;
  return Object.hasOwn(schema, section) ? schema[section as keyof typeof schema].keys : undefined;
}

function unknownSection(section: string): NameCheck {
  if (section === "auth" || section.startsWith("auth/")) {
    return { kind: "unknown", message: `[${section}] names no host; it is [auth/images.example.org], and a port is the key port in it` };
  }
  return { kind: "unknown", message: `there is no section [${section}]; ${suggestion(section, Object.keys(schema))}` };
}

function retiredReason(section: string, key: string): string | undefined {
  return retired.find(({ name }) =>
    name.endsWith("/*") ? section === name.slice(0, -2) || section.startsWith(name.slice(0, -1)) : name === `${section}/${key}`,
  )?.reason;
}

function suggestion(word: string, candidates: readonly string[]): string {
  return didYouMean(word, candidates) ?? `it is one of ${candidates.join(", ")}`;
}
