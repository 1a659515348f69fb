import { isRecord } from "../base/is-record.js";

/** The variables as a template gets them: what is undefined is left out, so that it is an error there, not the word "none". */
export function templateValues(variables: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    Object.entries(variables).flatMap(([name, value]) => (value === undefined ? [] : [[name, withoutUndefined(value)]])),
  );
}

function withoutUndefined(value: unknown): unknown {
  if (Array.isArray(value)) return value.map((item: unknown) => (item === undefined ? null : withoutUndefined(item)));
  return isRecord(value) ? templateValues(value) : value;
}
