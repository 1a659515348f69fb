/**
 * What is wrong with the variables of a template: a value that a template cannot use as it would be expected to.
 * @returns a text such as `list[0].when is a Date`, or undefined if all is well
 */
export function templateValueProblem(variables: Readonly<Record<string, unknown>>): string | undefined {
  return problemIn(variables, "", []);
}

/** The variables as a template gets them: what is undefined is left out, so that it is an error there, not the word "none". */
export function templateValues(variables: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    Object.entries(variables).flatMap(([name, value]) => (value === undefined ? [] : [[name, withoutUndefined(value)]])),
  );
}

function withoutUndefined(value: unknown): unknown {
  if (Array.isArray(value)) return value.map((item: unknown) => (item === undefined ? null : withoutUndefined(item)));
  return isPlainObject(value) ? templateValues(value) : value;
}

function problemIn(value: unknown, path: string, above: readonly unknown[]): string | undefined {
  switch (typeof value) {
    case "string":
    case "boolean":
    case "bigint":
    case "undefined":
      return undefined;
    case "number":
      return Number.isFinite(value) ? undefined : `${path} is ${value}`;
    case "function":
    case "symbol":
      return `${path} is a ${typeof value}`;
  }
  if (value === null) return undefined;
  if (above.includes(value)) return `${path} contains itself`;
  const below = [...above, value];
  if (Array.isArray(value)) return firstOf(value.map((item, index) => problemIn(item, `${path}[${index}]`, below)));
  if (!isPlainObject(value)) return `${path} is a ${value?.constructor?.name ?? "special object"}`;
  return firstOf(Object.entries(value).map(([name, item]) => problemIn(item, path === "" ? name : `${path}.${name}`, below)));
}

function firstOf(problems: readonly (string | undefined)[]): string | undefined {
  return problems.find((problem) => problem !== undefined);
}

function isPlainObject(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  // A script's own objects may be of another realm, whose Object has another prototype.
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}
