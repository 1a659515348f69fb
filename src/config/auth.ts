import type { Auth, AuthValues, Login, Trust } from "./config.js";
import type { Reading } from "./values.js";

/**
 * What the values of one section `[auth/HOST]` say together.
 * @param caFileAt where its ca_file was given, as far as one is
 */
export function readAuth(values: AuthValues, caFileAt = ""): Reading<Auth> {
  const login = readLogin(values);
  if ("wrong" in login) return login;
  if (!/^([\w.-]*|\[[0-9a-f:.]+\])$/i.test(values.host)) return { wrong: "has a host that is no name of a host; a port is the key port" };
  if (values.insecure && values.caFile !== undefined) return { wrong: "has a ca_file, which insecure = yes makes useless" };
  return { value: { host: values.host || undefined, port: values.port, login: login.value, trust: trustOf(values, caFileAt) } };
}

function trustOf({ insecure, caFile }: AuthValues, at: string): Trust {
  if (insecure) return { kind: "insecure" };
  return caFile === undefined ? { kind: "system" } : { kind: "ca", file: caFile, at };
}

/** The keys of each type of login. */
const uses: { readonly [T in AuthValues["type"]]: readonly string[] } = {
  empty: [],
  basic: ["username", "password"],
  token: ["token"],
};

function readLogin({ type, username, password, token }: AuthValues): Reading<Login> {
  const given = Object.entries({ username, password, token }).flatMap(([key, value]) => (value === "" ? [] : [key]));
  const needed = uses[type];
  const missing = needed.filter((key) => !given.includes(key));
  const useless = given.filter((key) => !needed.includes(key));
  if (useless.length > 0) return { wrong: `has ${useless.join(" and ")}, which type = ${type} does not use` };
  if (missing.length > 0) return { wrong: `has no ${missing.join(" and ")}, which type = ${type} needs` };
  // In a header (RFC 7617 and RFC 6750), where other characters would be refused by the library with the header in its words.
  if (/\p{Cc}/u.test(username + password)) return { wrong: "has a username or password with control characters" };
  if (username.includes(":")) return { wrong: "has a username with a colon, which ends it" };
  if (!/^[\x21-\x7e]*$/.test(token)) return { wrong: "has a token with characters that no header can have" };
  if (type === "basic") return { value: { kind: "basic", username, password } };
  return { value: type === "token" ? { kind: "token", token } : { kind: "empty" } };
}
