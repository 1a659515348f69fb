import { endianness, machine } from "node:os";
import { toolError } from "./tool-error.js";

/** Whose names: Debian's (dpkg-architecture(1)) or the kernel's (uname(1)). */
export type ArchitectureNaming = "debian" | "kernel";

/** Names of Node's that are not Debian's, with little-endian and big-endian processors apart. */
const debianNames: Readonly<Record<string, { readonly LE: string; readonly BE: string }>> = {
  x64: { LE: "amd64", BE: "amd64" },
  ia32: { LE: "i386", BE: "i386" },
  arm: { LE: "armhf", BE: "armeb" },
  mips: { LE: "mipsel", BE: "mips" },
  mipsel: { LE: "mipsel", BE: "mipsel" },
  ppc64: { LE: "ppc64el", BE: "ppc64" },
};

/** This host's architecture: `amd64` for Debian, `x86_64` for the kernel. */
export function architecture(naming: ArchitectureNaming = "debian"): string {
  if (naming === "kernel") return machine();
  if (naming === "debian") return debianArchitecture(process.arch, endianness());
  throw toolError("architecture", `expected "debian" or "kernel", not ${JSON.stringify(naming)}`);
}

/** Debian's name for one of Node's; most are the same: arm64, riscv64, s390x, loong64. */
export function debianArchitecture(arch: string, order: "LE" | "BE"): string {
  return debianNames[arch]?.[order] ?? arch;
}
