import type { Camel } from "./camel-case.js";
import type { authKeys, KeySchema, Kinds, schema } from "./schema.js";

type ValueOf<K extends KeySchema> = K extends { readonly choices: readonly (infer Word)[] }
  ? K["kind"] extends "choices"
    ? readonly Word[]
    : Word
  : Kinds[K["kind"]];

type ValuesOf<T extends Readonly<Record<string, KeySchema>>> = { readonly [K in keyof T as Camel<K>]: ValueOf<T[K]> };

/** Values of the keys of a section `[auth/HOST]`. */
export type AuthValues = ValuesOf<typeof authKeys>;

/** How one host is reached. `host` and `port` take the place of those in the URL. */
export type Auth = {
  readonly host: string | undefined;
  readonly port: number | undefined;
  readonly login: Login;
  readonly trust: Trust;
};

/** Whose certificates are good: those of the system's CAs, and of those in `file`, which was given at `at` (`file:line`); or anybody's. */
export type Trust =
  | { readonly kind: "system" }
  | { readonly kind: "ca"; readonly file: string; readonly at: string }
  | { readonly kind: "insecure" };

export type Login =
  | { readonly kind: "empty" }
  | { readonly kind: "basic"; readonly username: string; readonly password: string }
  | { readonly kind: "token"; readonly token: string };

/**
 * Settings of the tool itself: those of the table in `schema.ts`, `[storage] root` as `config.storage.root`, with the hosts of
 * `[auth/HOST]` by their names in lower case. Docs in docs/config.md.
 */
export type Config = {
  readonly [S in keyof typeof schema]: ValuesOf<(typeof schema)[S]["keys"]>;
} & { readonly auth: ReadonlyMap<string, Auth> };
