import { createRequire } from "node:module";
import { messageOf, NspawnError } from "./errors.js";

type MiniJinja = typeof import("minijinja-js");

/**
 * Renders a Jinja template. A variable that is not defined is an error.
 * @param name path of the template, for errors
 * @throws NspawnError with the template's line
 */
export function renderTemplate(name: string, template: string, variables: Readonly<Record<string, unknown>>): string {
  // Loaded only here: its WebAssembly takes 80 ms, and most commands render nothing.
  const { Environment } = createRequire(import.meta.url)("minijinja-js") as MiniJinja;
  const environment = new Environment();
  try {
    environment.undefinedBehavior = "strict";
    environment.keepTrailingNewline = true;
    // The name would switch on HTML escaping for some endings, so the template gets one without.
    environment.addTemplate("template", template);
    return environment.renderTemplate("template", variables);
  } catch (error) {
    const message = messageOf(error);
    const line = /\(in template:(\d+)\)/.exec(message)?.[1];
    throw new NspawnError(`${name}${line ? `:${line}` : ""}: ${message.replace(/ \(in template:\d+\)/, "")}`, { cause: error });
  } finally {
    environment.free();
  }
}
