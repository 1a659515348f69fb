import { crc32, deflateRawSync } from "node:zlib";

/** A member of an archive that is made by hand: names and links as they are given, however wrong. */
export type HandMade = {
  readonly name: string;
  readonly content?: string;
  /** Permission bits. */
  readonly mode?: number;
  readonly type?: "file" | "hardlink" | "symlink" | "character" | "folder";
  readonly link?: string;
  /** Major and minor number. */
  readonly device?: readonly [number, number];
  /** In a zip archive: that its content can be read with a password only. */
  readonly encrypted?: boolean;
};

const typeFlags = { file: "0", hardlink: "1", symlink: "2", character: "3", folder: "5" } as const;

/** A tar archive, POSIX ustar. */
export function tarOf(members: readonly HandMade[]): Buffer {
  const blocks = members.flatMap(({ name, content = "", mode = 0o644, type = "file", link = "", device = [0, 0] }) => {
    const head = Buffer.alloc(512);
    const octal = (value: number, length: number): string => `${value.toString(8).padStart(length - 1, "0")}\0`;
    const body = Buffer.from(content);
    head.write(name, 0, 100);
    for (const [value, at, length] of [
      [mode, 100, 8],
      [0, 108, 8],
      [0, 116, 8],
      [body.length, 124, 12],
      [1_000_000_000, 136, 12],
      [device[0], 329, 8],
      [device[1], 337, 8],
    ] as const) {
      head.write(octal(value, length), at);
    }
    head.write("        ", 148);
    head.write(typeFlags[type], 156);
    head.write(link, 157, 100);
    head.write("ustar\x0000", 257);
    head.write(
      `${head
        .reduce((sum, byte) => sum + byte, 0)
        .toString(8)
        .padStart(6, "0")}\0 `,
      148,
    );
    return [head, body, Buffer.alloc((512 - (body.length % 512)) % 512)];
  });
  return Buffer.concat([...blocks, Buffer.alloc(1024)]);
}

/** The same archive with another field in its first header, and the checksum that belongs to that. */
export function headerField(archive: Buffer, at: number, bytes: Buffer): Buffer {
  const changed = Buffer.from(archive);
  bytes.copy(changed, at);
  changed.fill(" ", 148, 156);
  const sum = changed.subarray(0, 512).reduce((total, byte) => total + byte, 0);
  changed.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  return changed;
}

/** A pax header for the member that follows (`g`: for all of them), without an end mark. Values are latin1. */
export function paxOf(records: Readonly<Record<string, string>>, type: "x" | "g" = "x"): Buffer {
  const text = Object.entries(records).map(([key, value]) => {
    const rest = ` ${key}=${value}\n`;
    const digits = [1, 2, 3, 4, 5, 6].find((count) => String(rest.length + count).length === count) ?? 0;
    return `${rest.length + digits}${rest}`;
  });
  const content = Buffer.from(text.join(""), "latin1");
  const body = Buffer.alloc(Math.ceil(content.length / 512) * 512);
  content.copy(body);
  const head = tarOf([{ name: "pax", content: "x".repeat(content.length) }]).subarray(0, 512);
  return Buffer.concat([headerField(head, 156, Buffer.from(type)), body]);
}

/** A zip archive as Unix programs make them. */
export function zipOf(members: readonly HandMade[]): Buffer {
  const files: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const { name, content = "", mode = 0o644, type = "file", link = "", encrypted = false } of members) {
    const body = Buffer.from(type === "symlink" ? link : content);
    const packed = deflateRawSync(body);
    const bytes = Buffer.from(name);
    const common = Buffer.alloc(26);
    common.writeUInt16LE(20, 0);
    // Names are UTF-8; deflated; 2001-09-09.
    common.writeUInt16LE(encrypted ? 0x0801 : 0x0800, 2);
    common.writeUInt16LE(8, 4);
    common.writeUInt16LE(0x2b29, 8);
    common.writeUInt32LE(crc32(body), 10);
    common.writeUInt32LE(packed.length, 14);
    common.writeUInt32LE(body.length, 18);
    common.writeUInt16LE(bytes.length, 22);
    const local = Buffer.concat([Buffer.from("504b0304", "hex"), common, bytes, packed]);
    const central = Buffer.alloc(46);
    central.write("504b01021403", "hex");
    common.copy(central, 6);
    const kind = type === "symlink" ? 0o120000 : type === "folder" ? 0o040000 : 0o100000;
    central.writeUInt32LE(((kind | mode) << 16) >>> 0, 38);
    central.writeUInt32LE(offset, 42);
    files.push(local);
    directory.push(Buffer.concat([central, bytes]));
    offset += local.length;
  }
  const list = Buffer.concat(directory);
  const end = Buffer.alloc(22);
  end.write("504b0506", "hex");
  end.writeUInt16LE(members.length, 8);
  end.writeUInt16LE(members.length, 10);
  end.writeUInt32LE(list.length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...files, list, end]);
}
