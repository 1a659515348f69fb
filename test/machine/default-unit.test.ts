import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { defaultUnit } from "../../src/machine/default-unit.js";
import { defaultUnitCode } from "../../src/machine/default-unit-code.js";
import type { UnitVariables } from "../../src/machine/unit-variables.js";
import { renderTemplate } from "../../src/template/template.js";

const word = fc.string({ maxLength: 8 });
const words = fc.array(word, { maxLength: 3 });
const variables: fc.Arbitrary<UnitVariables> = fc.record({
  systemd: fc.constantFrom(0, 252, 254, 255, 262),
  name: word,
  script: word,
  state: fc.constantFrom("keep", "volatile"),
  root: word,
  runtime: word,
  layers_folder: word,
  mounts: word,
  layers: fc.array(fc.record({ id: word, url: word, digest: word, path: word }), { maxLength: 3 }),
  prepare: words,
  mount: words,
  release: words,
  clean: words,
  settings: fc.array(fc.record({ name: word, value: word, origin: word }), { maxLength: 3 }),
  directives: words,
  nspawn: words,
  command_origin: word,
  unit_conf: words,
  service_conf: words,
  install_conf: words,
});

describe("the default unit", () => {
  test("is made from the template as it is: scripts/generate writes it anew", () => {
    expect(readFileSync("src/machine/default-unit.ts", "utf8")).toBe(defaultUnitCode());
  });

  test("is what minijinja makes of that", () => {
    const path = "templates/machine-default.service";
    const source = readFileSync(path, "utf8");
    fc.assert(
      fc.property(variables, (values) => {
        expect(defaultUnit(values)).toBe(renderTemplate(path, source, values).text);
      }),
      { numRuns: 50 },
    );
  });
});
