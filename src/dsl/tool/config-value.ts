import { didYouMean } from "../../base/nearest.js";
import { type Camel, camelCase } from "../../config/camel-case.js";
import type { Config } from "../../config/config.js";
import { type KeySchema, schema } from "../../config/schema.js";
import { toolError } from "./tool-error.js";

type Schema = typeof schema;
type Keys<S extends keyof Schema> = Schema[S]["keys"];
type Open<S extends keyof Schema, K extends keyof Keys<S> & string> = Keys<S>[K] extends { readonly secret: true } ? never : `${S}/${K}`;

/** Section and key of the configuration, as in config.ini: `storage/root`. Those that hold passwords are left out. */
export type ConfigName = {
  readonly [S in keyof Schema]: { readonly [K in keyof Keys<S> & string]: Open<S, K> }[keyof Keys<S> & string];
}[keyof Schema];

/** What a key of the configuration holds: a text, a number, a boolean, a list of texts; undefined where an optional one is not set. */
export type ConfigValue<N extends ConfigName> = {
  readonly [S in keyof Schema]: N extends `${S}/${infer K}` ? (Camel<K> extends keyof Config[S] ? Config[S][Camel<K>] : never) : never;
}[keyof Schema];

/**
 * A value of the configuration by its name in config.ini.
 * @throws ScriptError for an unknown name, with the nearest one, and for one that holds passwords
 */
export function configValue<N extends ConfigName>(config: Config, name: N): ConfigValue<N>;
export function configValue(config: Config, name: unknown): unknown {
  if (typeof name !== "string") throw toolError("config", `expected a name such as "storage/root", not ${JSON.stringify(name)}`);
  const open = keys().filter(({ secret }) => !secret);
  const found = open.find((key) => key.name === name);
  if (found) return found.valueIn(config);
  if (name.startsWith("auth/") || keys().some((key) => key.name === name))
    throw toolError("config", `${name} may hold a password, and is not for scripts`);
  const names = open.map((key) => key.name);
  throw toolError("config", `the configuration has no ${JSON.stringify(name)}`, didYouMean(name, names) ?? `there are ${names.join(", ")}`);
}

type Key = { readonly name: string; readonly secret: boolean; readonly valueIn: (config: Config) => unknown };

function keys(): readonly Key[] {
  return Object.entries(schema).flatMap(([section, table]) =>
    Object.entries<KeySchema>(table.keys).map(([key, { secret = false }]) => ({
      name: `${section}/${key}`,
      secret,
      valueIn: (config: Config) => Object.entries(config[section as keyof Schema]).find(([field]) => field === camelCase(key))?.[1],
    })),
  );
}
