import { describe, expect, test } from "vitest";
import { renderTemplate } from "../../src/base/template.js";

describe("renderTemplate", () => {
  test("variables are put in as they are, without HTML escapes, whatever the file's ending", () => {
    expect(renderTemplate("/a/page.html", "<b>{{ x }}</b>\n", { x: "<&>" })).toBe("<b><&></b>\n");
  });

  test("a value is data: what looks like a template in it is not rendered", () => {
    expect(renderTemplate("t", "{{ x }}", { x: "{{ y }}{% raw %}" })).toBe("{{ y }}{% raw %}");
  });

  test("newlines at the end are kept", () => {
    expect(renderTemplate("t", "a\n\n", {})).toBe("a\n\n");
  });

  test("a variable that is not defined is an error with the template's line", () => {
    expect(() => renderTemplate("/srv/readme.md", "one\ntwo {{ missing }}\n", {})).toThrow(/^\/srv\/readme\.md:2: .*undefined/);
  });

  test("a wrong template is an error with its line", () => {
    expect(() => renderTemplate("/srv/readme.md", "one\n\n{% if %}\n", {})).toThrow(/^\/srv\/readme\.md:3: /);
  });
});
