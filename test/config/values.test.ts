import { describe, expect, test } from "vitest";
import type { KeySchema, Kinds } from "../../src/config/schema.js";
import { proxyUrl, readValue } from "../../src/config/values.js";

const key = (kind: keyof Kinds, more: Partial<KeySchema> = {}): KeySchema => ({ kind, default: "", doc: "", ...more });
const levels = { choices: ["info", "error"], aliases: { critical: "error" } };

describe("readValue", () => {
  test.each<[keyof Kinds, string, unknown, Partial<KeySchema>?]>([
    ["boolean", "Yes", true],
    ["boolean", "off", false],
    ["text", "a\nb", "a\nb"],
    ["choice", "INFO", "info", levels],
    ["choice", "Critical", "error", levels],
    ["choices", "error\ninfo", ["error", "info"], levels],
    ["seconds", "0.5", 0.5],
    ["quantity", "2000000", 2_000_000],
    ["quantity", "1k", 1024],
    ["quantity", "100 G", 100 * 2 ** 30],
    ["pause", "0", 0],
    ["pause", "0.25", 0.25],
    ["count", "7", 7],
    ["amount", "0", 0],
    ["amount", "1000", 1000],
    ["path", "/a/../b", "/b"],
    ["path", "b", `${process.cwd()}/b`],
    ["optionalPath", "", undefined],
    ["port", "", undefined],
    ["port", "8443", 8443],
    ["list", "a\n\n b c ", ["a", "b c"]],
    ["list", "", []],
    ["argv", "/bin/sh\n-c", ["/bin/sh", "-c"]],
    ["webUrls", "https://example.org/ip", ["https://example.org/ip"]],
    ["urlPrefixes", "file:\nhttps:\nhttps://example.org/a", ["file:", "https:", "https://example.org/a"]],
    ["urlPrefixes", "file:///srv/", ["file:///srv/"]],
    ["urlPrefixes", "", []],
    ["mountOptions", "xino=auto,index=off\nnodev\nredirect_dir=off", ["xino=auto"]],
    ["proxyVariables", "http_proxy = http://p:1\nno_proxy = a, b", { http_proxy: "http://p:1", no_proxy: "a, b" }],
  ])("%s: %j is %j", (kind, text, value, more) => {
    expect(readValue(key(kind, more), text)).toEqual({ value });
  });

  test.each<[keyof Kinds, string, RegExp, Partial<KeySchema>?]>([
    ["boolean", "maybe", /^is yes or no, not "maybe"$/],
    ["boolean", "constructor", /^is yes or no/],
    ["choice", "constructor", /^is one of info, error, not "constructor"$/, levels],
    ["choices", "info\nloud", /^is one of info, error, not "loud"$/, levels],
    ["pause", "-1", /^is a number of seconds, at most 86400, not "-1"$/],
    ["pause", "86401", /^is a number of seconds/],
    ["amount", "-1", /^is a whole number from 0 to 1000, not "-1"$/],
    ["amount", "1.5", /^is a whole number/],
    ["amount", "1001", /^is a whole number/],
    ["count", "0", /^is a whole number from 1 to 1000, not "0"$/],
    ["count", "1.5", /^is a whole number/],
    ["count", "1001", /^is a whole number/],
    ["seconds", "0", /^is a number of seconds/],
    ["seconds", "1e9", /^is a number of seconds/],
    ["seconds", "100000", /at most 86400/],
    ["quantity", "0G", /^is a whole number/],
    ["quantity", "1.5G", /^is a whole number/],
    ["quantity", "unlimited", /not "unlimited"$/],
    ["quantity", "999999999999999T", /^is a whole number/],
    ["path", "", /^is a path/],
    ["path", "~/store", /\$HOME is the home folder/],
    ["path", "/a\n/b", /^is a path/],
    ["port", "0", /^is a port/],
    ["port", "65536", /^is a port/],
    ["argv", "", /^is a program/],
    ["webUrls", "ftp://example.org/", /"ftp:\/\/example.org\/" is none/],
    ["urlPrefixes", "https://example.org", /with a \/ after the host/],
    ["mountOptions", "metacopy=on", /break the layers/],
    ["mountOptions", "lowerdir=/", /break the layers/],
    ["mountOptions", "userxattr", /break the layers/],
    ["mountOptions", "a b", /"a b" is none/],
    ["proxyVariables", "http_proxy = ftp://u:secret@p", /^has a http_proxy that is no http: or https: URL$/],
    ["proxyVariables", "ftp_proxy = http://u:secret@p", /one of them is none$/],
  ])("%s: %j is wrong", (kind, text, message, more) => {
    const reading = readValue(key(kind, more), text);
    expect(reading).toEqual({ wrong: expect.stringMatching(message) });
    expect(JSON.stringify(reading)).not.toContain("secret");
  });
});

test("the URL of a proxy may lack its scheme", () => {
  expect(proxyUrl("proxy.example.org:3128")?.href).toBe("http://proxy.example.org:3128/");
  expect(proxyUrl("https://u:p@proxy.example.org")?.href).toBe("https://u:p@proxy.example.org/");
  expect(proxyUrl("socks5://proxy.example.org")).toBeUndefined();
  expect(proxyUrl("http://")).toBeUndefined();
});
