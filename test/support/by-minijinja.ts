import { TemplateRenderer } from "../../src/template/template.js";

/** What minijinja makes of a template, which renderTemplate() does not ask for plain ones. Throws what is wrong with it. */
export function byMiniJinja(source: string, variables: Readonly<Record<string, unknown>>): string {
  const renderer = new TemplateRenderer("/");
  try {
    return renderer.render("/a", source, variables);
  } finally {
    renderer.free();
  }
}
