import { type Kind, scalarText, WrongValue } from "./kind.js";

type Assignment = {
  readonly expected: string;
  readonly example: unknown;
  /** What is between name and value. */
  readonly separator: "=" | ":";
  readonly name: { readonly expected: string; readonly test: (name: string) => boolean };
  /** Values of which each name has one only. */
  readonly unique?: string;
  /** How a value given as such is written in the setting's text. */
  readonly encode?: (value: string) => string;
  readonly isValue?: (value: string) => boolean;
};

const isLine = (text: string): boolean => !/[\p{Cc}\u2028\u2029]|\\$/u.test(text);

/** A name and a value: as one text, or as a field of an object. */
function assignment({ separator, name, unique, encode, isValue = () => true, ...kind }: Assignment): Kind {
  const field = (key: string, value: unknown): string | WrongValue => {
    if (!name.test(key)) return new WrongValue(name.expected, key);
    const text = typeof value === "boolean" ? String(value) : scalarText(value, `a text or a number as the value of ${key}`);
    if (typeof text !== "string") return text;
    const written = encode ? encode(text) : text;
    return isValue(written) ? `${key}${separator}${written}` : new WrongValue(kind.expected, value);
  };
  const read = (value: unknown): string | WrongValue => {
    const text = scalarText(value, kind.expected);
    if (typeof text !== "string") return text;
    const at = text.indexOf(separator);
    return at >= 0 && name.test(text.slice(0, at)) && isValue(text.slice(at + 1)) ? text : new WrongValue(kind.expected, value);
  };
  return {
    ...kind,
    type: "string",
    read,
    fields: { type: "string | number | boolean", read: field },
    ...(unique === undefined ? {} : { about: (text) => `${unique} ${text.slice(0, text.indexOf(separator))}` }),
  };
}

/** One variable. A text is one assignment, whatever is in its value: that is how the Python tool wrote and read it. */
export const environment: Kind = assignment({
  expected: "NAME=value or { NAME: value }",
  example: { TZ: "UTC" },
  separator: "=",
  name: {
    expected: "names of letters, digits and _, not starting with a digit",
    test: (name) => /^[A-Za-z_][A-Za-z0-9_]*$/.test(name),
  },
  unique: "variable",
});

/** A directive of systemd.resource-control(5); lists such as DeviceAllow= may have several. */
export const property: Kind = assignment({
  expected: "NAME=value or { NAME: value }",
  example: { MemoryMax: "1G" },
  separator: "=",
  name: {
    expected: "a directive of systemd.resource-control(5)",
    test: (name) =>
      /^(Startup|Default)*(CPU|Memory|Tasks|IO|IP|AllowedCPUs|AllowedMemoryNodes|Device|SocketBind|RestrictNetworkInterfaces|NFTSet|BPFProgram|DisableControllers|ManagedOOM)[A-Za-z]*$/.test(
        name,
      ),
  },
  // It is a line of the unit.
  isValue: isLine,
});

const credentialId = {
  expected: "the name of a credential: a file name in ASCII, without colons, of 255 characters at most",
  test: (name: string) => /^[ -.0-9;-~]{1,255}$/.test(name) && name !== "." && name !== "..",
};

export const credentialPath: Kind = assignment({
  expected: "ID:PATH or { ID: path }",
  example: { motd: "/etc/motd" },
  separator: ":",
  name: credentialId,
  unique: "credential",
  isValue: (path) => path !== "",
});

/** systemd-nspawn undoes C escapes in the value (systemd-nspawn(1)), so the backslashes of a value given as such are doubled. */
export const credentialValue: Kind = assignment({
  expected: "ID:VALUE, with C escapes such as \\n in VALUE, or { ID: value } without escapes",
  example: { motd: "hello" },
  separator: ":",
  name: credentialId,
  unique: "credential",
  encode: (value) => value.replaceAll("\\", "\\\\"),
  isValue: (value) => /^(?:[^\\]|\\(?:[abfnrtvs\\"']|x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|[0-3][0-7]{2}))*$/.test(value),
});
