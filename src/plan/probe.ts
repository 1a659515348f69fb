import { isRecord } from "../base/is-record.js";
import { oneLine, shellQuote } from "../base/shell-quote.js";
import { argv, type Checker, Mismatch, object, optional, text, unlike } from "./shape.js";

/** How it is seen that a machine works. */
type Way =
  /** A program in the machine that has to end with 0. */
  | { readonly kind: "command"; readonly argv: readonly string[] }
  /** A port that takes connections from the host; without `host` it is one of the machine's own address. */
  | { readonly kind: "tcp"; readonly host: string | undefined; readonly port: number }
  /** A URL that answers with a status of 2xx or 3xx. */
  | { readonly kind: "http"; readonly url: string };

/** The same with the time that it is tried, in seconds. */
export type ProbeSpec = Way & { readonly seconds: number };

/** Checks what MACHINE takes as its `probe`: exactly one of `command`, `tcp` and `http`, and perhaps `timeout`. */
export const probe: Checker<ProbeSpec> = (value) => {
  const forms = "{ command }, { tcp } or { http }, with timeout?";
  if (!isRecord(value)) return unlike(`an object: ${forms}`, value, meantBy(value));
  const fields = object({ command: optional(command), tcp: optional(tcp), http: optional(http), timeout: optional(seconds) }, forms)(value);
  if (fields instanceof Mismatch) return fields;
  const { timeout = defaultSeconds, ...ways } = fields;
  const [way, more] = Object.values(ways).filter((given) => given !== undefined);
  if (!way) return unlike("one of command, tcp and http", value);
  if (more) return new Mismatch([{ path: "", message: `${way.kind} and ${more.kind}: give one of them`, near: more.kind }]);
  return { ...way, seconds: timeout };
};

/** A probe in a few words, on one line, for people. */
export function describeProbe(spec: ProbeSpec): string {
  switch (spec.kind) {
    case "command":
      return oneLine(shellQuote(spec.argv));
    case "tcp":
      return spec.host === undefined ? `TCP port ${spec.port} of the machine` : `TCP ${hostAndPort(spec.host, spec.port)}`;
    case "http":
      return spec.url;
  }
}

/** Seconds that a probe is tried where the script says nothing. */
const defaultSeconds = 30;

/** Nobody waits longer than a day for a machine. */
const maxSeconds = 86_400;

const seconds: Checker<number> = (value) =>
  typeof value === "number" && value > 0 && value <= maxSeconds
    ? value
    : unlike(`a number of seconds, more than 0 and at most ${maxSeconds}`, value);

const command: Checker<Way> = (value) => {
  const isLine = typeof value === "string";
  const words = isLine ? text("a command")(value) : argv((script) => `command: ${script}`)(value);
  if (words instanceof Mismatch) return words;
  return { kind: "command", argv: typeof words === "string" ? ["/bin/sh", "-c", words] : words };
};

const tcp: Checker<Way> = (value) => {
  // 80, web:80, 192.0.2.1:80, [2001:db8::1]:80
  const written = typeof value === "number" || typeof value === "string" ? String(value) : "";
  const [, bracketed, name, digits = ""] = /^(?:\[([0-9A-Fa-f:.]+)\]:|([^\s:[\]/]+):)?(\d{1,5})$/.exec(written) ?? [];
  const port = Number(digits);
  if (port < 1 || port > 65_535) return unlike('a port, or "host:port"', value);
  return { kind: "tcp", host: bracketed ?? name, port };
};

const http: Checker<Way> = (value) => {
  if (typeof value !== "string" || !URL.canParse(value) || !/^https?:/i.test(value)) return unlike("an http: or https: URL", value);
  const { username, password } = new URL(value);
  if (username === "" && password === "") return { kind: "http", url: value };
  // The value itself is not in the message.
  return new Mismatch([{ path: "", message: "the URL has a login in it, which would be kept for all to read", hint: noLogin }]);
};

const noLogin = "probe a path that needs none, or a command in the machine";

function hostAndPort(host: string, port: number): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

/** What may have been meant by a value that is no object. */
function meantBy(value: unknown): string | undefined {
  if (typeof value === "number") return `write { tcp: ${value} }`;
  if (Array.isArray(value)) return "write { command: […] }";
  if (typeof value !== "string") return undefined;
  return `write { ${/^https?:/.test(value) ? "http" : "command"}: ${JSON.stringify(value)} }`;
}
