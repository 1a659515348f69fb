import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { compressionOf, type ImageRef, imageRef } from "../../src/plan/image-ref.js";

function ref(url: string): ImageRef {
  const image = imageRef(url);
  if (typeof image === "string") throw new Error(image);
  return image;
}

describe("imageRef", () => {
  test("two spellings of a file on this host are one image, each shown as written", () => {
    const [a, b] = [ref("file://localhost/srv/a.tar.gz"), ref("file:///srv/a.tar.gz")];
    expect(a.url).toBe(b.url);
    expect([a.written, b.written]).toEqual(["file://localhost/srv/a.tar.gz", "file:///srv/a.tar.gz"]);
    expect(a.scheme).toBe("file");
  });

  test("upper case in the host and the default port make no other image, upper case in the path does", () => {
    expect(ref("HTTPS://Example.ORG:443/A.tar.gz").url).toBe(ref("https://example.org/A.tar.gz").url);
    expect(ref("https://example.org/a.tar.gz").url).not.toBe(ref("https://example.org/A.tar.gz").url);
  });

  test("ports part images", () => {
    expect(ref("http://h:8080/a.tar.gz").url).not.toBe(ref("http://h/a.tar.gz").url);
  });

  test.each([
    ["web.tar.gz", /is no URL/],
    ["", /is no URL/],
    ["ftp://h/a.tar.gz", /scheme "ftp"/],
    ["https://user:secret@h/a.tar.gz", /login/],
    ["https://user@h/a.tar.gz", /login/],
    ["https://h/a.tar.gz#x", /#fragment/],
    ["file://other/a.tar.gz", /"other"/],
    ["file:///srv/", /folder/],
    ["https://h", /folder/],
    ["file:///a%2fb.tar.gz", /encoded/],
    ["file:///a%00.tar.gz", /encoded/],
  ])("%j is refused", (url, why) => {
    expect(imageRef(url)).toMatch(why);
  });

  test("a login in a URL is not repeated in the message", () => {
    expect(imageRef("https://user:secret@h/a.tar.gz")).not.toMatch(/secret|user/);
  });

  test("the one spelling of a URL is its own one spelling", () => {
    fc.assert(
      fc.property(fc.webUrl({ validSchemes: ["http", "https"], withQueryParameters: true }), (url) => {
        const image = imageRef(`${url}`);
        if (typeof image === "string") return;
        expect(ref(image.url).url).toBe(image.url);
      }),
    );
  });
});

describe("compressionOf", () => {
  test.each([
    ["https://h/a.tar.gz", "gz"],
    ["https://h/a.tar.xz?x=.tar.gz", "xz"],
    ["file:///a.tar.zst", "zst"],
    ["file:///a.tar", undefined],
    ["file:///a.zip", undefined],
    ["file:///a.tgz", undefined],
    ["https://h/a?b=.tar.gz", undefined],
  ])("%s is %s", (url, compression) => {
    expect(compressionOf(ref(url))).toBe(compression);
  });
});
