import { describe, expect, expectTypeOf, test } from "vitest";
import type { Config } from "../../../src/config/config.js";
import { type ConfigName, type ConfigValue, configValue } from "../../../src/dsl/tool/config-value.js";

/** The values that the tests read; the others of the schema are left out. */
const config = {
  storage: { root: "/var/lib/nspawn" },
  network: { checkTimeout: 3, checkHostList: ["https://a.example.org", "https://b.example.org"] },
  machine: { useBindStub: true, template: undefined },
  build: { shellInvoke: [] as readonly string[] },
  proxy: { proxyConfigText: { http_proxy: "http://user:hello-kitty@proxy.example.org" } },
  auth: new Map([["images.example.org", { login: { kind: "token", token: "hello-kitty" } }]]),
} as unknown as Config;

/** As a script in plain JavaScript may call it. */
const value = (name: unknown): unknown => configValue(config, name as ConfigName);

describe("configValue", () => {
  test("values of each kind, by their names in config.ini", () => {
    expect(configValue(config, "storage/root")).toBe("/var/lib/nspawn");
    expect(configValue(config, "network/check_timeout")).toBe(3);
    expect(configValue(config, "network/check_host_list")).toEqual(["https://a.example.org", "https://b.example.org"]);
    expect(configValue(config, "machine/use_bind_stub")).toBe(true);
    expect(configValue(config, "machine/template")).toBeUndefined();
    expect(value("build/shell_invoke")).toEqual([]);
  });

  const problem = (message: string, hint?: unknown): Error =>
    expect.objectContaining({ name: "ScriptError", problems: [expect.objectContaining({ message, hint })] });

  test("an unknown name is an error with the nearest one", () => {
    expect(() => value("storage/rot")).toThrow(
      problem('TOOL.config: the configuration has no "storage/rot"', "did you mean storage/root?"),
    );
    expect(() => value("network/checkTimeout")).toThrow(
      problem('TOOL.config: the configuration has no "network/checkTimeout"', "did you mean network/check_timeout?"),
    );
  });

  test.each(["", "storage", "network", "__proto__", "storage/__proto__", "storage/constructor/name", "network/check_host_list/0"])(
    "%j names no value",
    (name) => {
      expect(() => value(name)).toThrow(/^TOOL\.config: the configuration has no "/);
    },
  );

  test("what is unlike all names gets the list of them, without the secret ones", () => {
    expect(() => value("xyz")).toThrow(
      problem('TOOL.config: the configuration has no "xyz"', expect.stringMatching(/^there are .*storage\/root, /)),
    );
    expect(() => value("xyz")).not.toThrow(
      problem('TOOL.config: the configuration has no "xyz"', expect.stringContaining("proxy_config_text")),
    );
  });

  test("passwords are not for scripts, under no name", () => {
    for (const name of ["auth/images.example.org/token", "auth/x", "proxy/proxy_config_text"]) {
      expect(() => value(name)).toThrow(`TOOL.config: ${name} may hold a password, and is not for scripts`);
    }
    for (const name of ["auth", "proxy/proxyConfigText"]) expect(() => value(name)).toThrow(/the configuration has no/);
  });

  test("a name that is no text is an error", () => {
    expect(() => value(undefined)).toThrow('TOOL.config: expected a name such as "storage/root", not undefined');
    expect(() => value(["storage", "root"])).toThrow(/^TOOL\.config: expected a name/);
  });

  test("each name has the type of its value", () => {
    expectTypeOf<ConfigValue<"storage/root">>().toEqualTypeOf<string>();
    expectTypeOf<ConfigValue<"network/check_timeout">>().toEqualTypeOf<number>();
    expectTypeOf<ConfigValue<"network/check_host_list">>().toEqualTypeOf<readonly string[]>();
    expectTypeOf<ConfigValue<"machine/use_bind_stub">>().toEqualTypeOf<boolean>();
    expectTypeOf<ConfigValue<"machine/template">>().toEqualTypeOf<string | undefined>();
    expectTypeOf<"proxy/proxy_config_text">().not.toExtend<ConfigName>();
    expectTypeOf<"storage/rot">().not.toExtend<ConfigName>();
  });
});
