/** A value before its references are followed. `verbatim`: there are none in it. `secret`: nothing of its text may be in a message. */
export type RawValue = { readonly section: string; readonly text: string; readonly verbatim?: boolean; readonly secret?: boolean };

export type Environment = Readonly<Record<string, string | undefined>>;

export type Expanded = { readonly text: string } | { readonly wrong: string };

/**
 * Follows the references in values: `${section:key}`, `${key}` of the same section, `$NAME` of the environment; `$$` is a `$`.
 * @param values by `section:key`
 * @returns a function that gives the value of a `section:key` that is there, or says what is wrong with it
 */
export function expander(values: ReadonlyMap<string, RawValue>, environment: Environment): (name: string) => Expanded {
  const known = new Map<string, Expanded>();
  const expand = (name: string, path: readonly string[]): Expanded => {
    const before = known.get(name);
    if (before) return before;
    if (path.includes(name)) return { wrong: `the value refers to itself: ${[...path.slice(path.indexOf(name)), name].join(" → ")}` };
    const value = values.get(name);
    if (!value)
      return {
        wrong: `\${${name}} is not set anywhere${environment[name.replace(/^.*:/, "")] === undefined ? "" : `; $${name.replace(/^.*:/, "")} is the variable of the environment`}`,
      };
    const result = value.verbatim ? { text: value.text } : substitute(value, (to) => expand(to, [...path, name]), environment);
    known.set(name, result);
    return result;
  };
  return (name) => expand(name, []);
}

function substitute({ section, text, secret }: RawValue, follow: (name: string) => Expanded, environment: Environment): Expanded {
  let wrong: string | undefined;
  const replaced = text.replace(/\$(?:(\$)|\{([^}]*)(\}?)|([A-Za-z_][A-Za-z0-9_]*))/g, (whole, dollar, reference, closing, variable) => {
    if (dollar) return "$";
    const kind = variable !== undefined ? "variable" : closing === "" ? "unclosed" : "reference";
    const result: Expanded = {
      variable: () => fromEnvironment(variable, environment),
      unclosed: () => ({ wrong: `${whole} has no closing }` }),
      reference: () => follow(reference.includes(":") ? reference : `${section}:${reference}`),
    }[kind]();
    if ("text" in result) return result.text;
    wrong ??= secret ? `${wrongInSecret[kind]}; ${dollarHint}` : result.wrong;
    return "";
  });
  return wrong === undefined ? { text: replaced } : { wrong };
}

const dollarHint = "a $ itself is written $$";

/** What is wrong with a secret, without any of it: what follows a dollar sign may be a part of a password. */
const wrongInSecret = {
  variable: "a $ in it names no variable of the environment",
  unclosed: "a reference in it has no closing }",
  reference: "a reference in it cannot be followed",
} as const;

function fromEnvironment(name: string, environment: Environment): Expanded {
  const text = environment[name];
  return text === undefined ? { wrong: `the environment has no variable ${name}; ${dollarHint}` } : { text };
}
