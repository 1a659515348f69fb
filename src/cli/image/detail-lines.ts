import { shortDigest } from "../../base/digest.js";
import { oneLine, shellQuote } from "../../base/shell-quote.js";
import type { ImageDetails } from "../../engine/image/inspect.js";
import type { User } from "../../image/usage.js";
import { type Item, section } from "../plan/plan.js";
import { printable } from "../printable.js";
import { showBytes } from "../quantity.js";
import type { Paint } from "../style.js";

/** All of an image for people. */
export function detailLines(details: ImageDetails, paint: Paint): readonly string[] {
  const { urls, layer, parents, settings, removed, command, chain, usedBy, trouble } = details;
  return [
    ...(urls.length > 0 ? urls.map(({ url }) => paint("bold", printable(url))) : [paint("bold", "no URL stands for this any more")]),
    ...section(paint, "archive", layer ? layerItems(layer) : []),
    ...urls.flatMap((one) => section(paint, urls.length > 1 ? `record of ${one.url}` : "record", recordItems(one))),
    ...section(
      paint,
      "parents, in the order of PULL",
      parents.map(({ url, digest, movedOn }) => [
        url,
        `${digest === undefined ? "of any version" : `built on ${shortDigest(digest)}`}${movedOn ? ", has moved on since" : ""}`,
      ]),
    ),
    ...section(paint, "settings", [
      ...settings.map(({ name, value }): Item => [`${name}=${oneLine(value)}`]),
      ...removed.map((name): Item => [`${name} of its parents is removed`]),
    ]),
    ...section(paint, "command", command ? [[oneLine(shellQuote(command))]] : []),
    ...section(
      paint,
      `layers, the top one first (${chain.length})`,
      chain.map(({ url, digest, bytes = 0, extracted }) => [
        url,
        digest === undefined
          ? "not in the store"
          : `${shortDigest(digest)} ${showBytes(bytes)}${extracted === undefined ? "" : `, ${showBytes(extracted)} on disk`}`,
      ]),
    ),
    ...section(paint, "used by", usedBy.map(userItem)),
    ...section(
      paint,
      "trouble",
      trouble.map((text): Item => [text]),
    ),
  ];
}

function layerItems({ digest, bytes, extracted, folder, time, archive }: NonNullable<ImageDetails["layer"]>): readonly Item[] {
  return [
    [digest],
    [`${showBytes(bytes)}${extracted === undefined ? "" : `, extracted ${showBytes(extracted)} on disk`}`],
    [`in ${folder}${time === undefined ? "" : ` since ${time}`}`],
    ...(archive === undefined ? [] : [[`kept as ${archive}`] as const]),
  ];
}

function recordItems({ time, validators, history, digest }: ImageDetails["urls"][number]): readonly Item[] {
  const known = Object.entries(validators).map(([name, value]) => `${name} ${value}`);
  const earlier = history.filter((other) => other !== digest).map(shortDigest);
  return [
    [`pulled ${time}`],
    [known.length > 0 ? `a change shows in: ${known.join(", ")}` : "a change does not show: each pull downloads it"],
    ...(earlier.length > 0 ? [[`earlier: ${earlier.join(" ")}`] as const] : []),
  ];
}

function userItem(user: User): Item {
  switch (user.kind) {
    case "machine":
      return [`machine ${user.name}`];
    case "image":
      return [`image ${user.url}`];
    case "process":
      return [`process ${user.pid}`];
  }
}
