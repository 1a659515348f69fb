import { UsageError } from "../../base/errors.js";
import { requirePrograms } from "../../host/programs.js";
import { resolveChain } from "../../image/resolve.js";
import { type ImageRef, imageRef } from "../../plan/image-ref.js";
import { Transports } from "../../transport/transports.js";
import type { EngineContext } from "../context.js";
import { whileOpen } from "./context.js";

/**
 * Brings images and all of their ancestors into the store, several at once.
 * @throws UsageError that names all wrong URLs, NspawnError
 */
export async function pullImages(context: EngineContext, urls: readonly string[]): Promise<void> {
  const images = checkUrls(urls);
  requirePrograms(["setpriv", "tar"]);
  await whileOpen(context, async (store) => {
    const transports = new Transports(context.config, process.env, context.report, context.host.interrupted);
    const wanted = images.map((image) => ({ image, digest: undefined, pinned: false }));
    await resolveChain({ ...context, store, transports }, wanted);
  });
}

function checkUrls(urls: readonly string[]): readonly ImageRef[] {
  const images = urls.map(imageRef);
  const wrong = images.filter((image) => typeof image === "string");
  if (wrong.length > 0) throw new UsageError(wrong.join("\n"), { hint: "a URL is like https://images.example.org/web.tar.zst" });
  return images.filter((image) => typeof image !== "string");
}
