import { styleText } from "node:util";

export type Style = Parameters<typeof styleText>[0];

/** Paints a text, or leaves it as it is. */
export type Paint = (style: Style, text: string) => string;

/** Paints for a stream: only if it is a terminal with colours. NO_COLOR, NODE_DISABLE_COLORS and FORCE_COLOR count, as for Node itself. */
export function paintFor(stream: NodeJS.WritableStream): Paint {
  return (style, text) => styleText(style, text, { stream });
}
