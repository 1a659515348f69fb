import type { StoredImage } from "../image/store.js";
import type { SettingSource } from "../settings/merge.js";

/** The settings of an image as one source of inherited settings. */
export function settingSource({ image, meta }: StoredImage): SettingSource {
  return { origin: image.written, removed: meta.removed, entries: meta.settings };
}
