import { readAttribute, removeAttribute, setAttribute } from "../host/attributes.js";

const attribute = "trusted.overlay.opaque";

/** Whether a folder of a layer hides what lower layers have in it: it has `trusted.overlay.opaque` = `y`. */
export function isOpaque(folder: Buffer): boolean {
  return readAttribute(folder, attribute)?.toString("latin1") === "y";
}

/** Marks a folder as opaque. */
export function setOpaque(folder: Buffer): void {
  setAttribute(folder, attribute, Buffer.from("y"));
}

/** Takes the mark from a folder that has it. */
export function clearOpaque(folder: Buffer): void {
  removeAttribute(folder, attribute);
}
