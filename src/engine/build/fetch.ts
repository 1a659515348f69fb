import { join } from "node:path";
import type { StepOf } from "../../plan/step.js";
import { takeOut } from "./take-out.js";
import { copyToImage, type StepContext } from "./work.js";

/**
 * FETCH: takes a file or folder out of an archive that was downloaded, and copies that into the image as COPY does.
 * @throws TransferError; NspawnError if it is no archive, has another digest, or lacks the file
 */
export async function fetchIntoImage(context: StepContext, step: StepOf<"fetch">): Promise<void> {
  const { folder, report, fetches } = context;
  const { archive, source, target } = step;
  const fetched = await fetches.get(step);
  const taken = await takeOut(fetched.folder, source, { origin: archive.written, folder: join(folder, "taken") });
  if (taken.devices.length > 0) {
    const names = taken.devices.slice(0, 5).join(", ");
    report({ kind: "warning", text: `${archive.written}: device nodes are left out: ${names}${taken.devices.length > 5 ? ", …" : ""}` });
  }
  await copyToImage(context, taken.path, target);
}
