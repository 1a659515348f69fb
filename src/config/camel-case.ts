/** A key of config.ini as the field of the configuration that holds its value: `connectTimeout` of `connect_timeout`. */
export type Camel<S> = S extends `${infer Head}_${infer Tail}` ? `${Head}${Capitalize<Camel<Tail>>}` : S;

/** {@link Camel} of a text. */
export function camelCase(key: string): string {
  return key.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
}
