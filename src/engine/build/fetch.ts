import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { clearFolder } from "../../host/clear-folder.js";
import { checkDigest, downloadArchive, startingAnew } from "../../image/download.js";
import { extractArchive } from "../../packer/extract.js";
import type { StepOf } from "../../plan/step.js";
import { takeOut } from "./take-out.js";
import { copyToImage, type StepContext } from "./work.js";

/**
 * FETCH: downloads an archive, takes a file or folder out of it, and copies that into the image as COPY does.
 * @throws TransferError; NspawnError if it is no archive, has another digest, or lacks the file
 */
export async function fetchIntoImage(context: StepContext, { archive, digest, source, target }: StepOf<"fetch">): Promise<void> {
  const { host, config, folder, report, transports } = context;
  const root = join(folder, "fetched");
  const transport = await transports.for(archive);
  const extracted = await startingAnew(report, async () => {
    await clearFolder(host, root);
    await mkdir(root, { mode: 0o755 });
    return downloadArchive(context, transport, archive, (body, announced) =>
      extractArchive(host, body, archive.written, root, { layer: false, devices: "all", limits: config.storage, announced }),
    );
  });
  checkDigest(archive, extracted.digest, digest);
  report({ kind: "detail", text: `${archive.written} has the digest ${extracted.digest}` });
  const taken = await takeOut(root, source, { origin: archive.written, folder: join(folder, "taken") });
  if (taken.devices.length > 0) {
    const names = taken.devices.slice(0, 5).join(", ");
    report({ kind: "warning", text: `${archive.written}: device nodes are left out: ${names}${taken.devices.length > 5 ? ", …" : ""}` });
  }
  await copyToImage(context, taken.path, target);
}
