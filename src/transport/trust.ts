import { X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { createSecureContext, rootCertificates, type SecureContext } from "node:tls";
import { messageOf, NspawnError } from "../base/errors.js";
import type { Trust } from "../config/config.js";

/** Options of a TLS connection that say whose certificates are good. */
export type TlsTrust = { readonly secureContext: SecureContext } | { readonly rejectUnauthorized: false };

/**
 * Reads certificates: that takes some 30 ms.
 * @param extraFile a file with more certificates (`NODE_EXTRA_CA_CERTS`), or undefined
 * @throws NspawnError for a CA file that cannot be used
 */
export function tlsTrust(trust: Trust, extraFile: string | undefined): TlsTrust {
  if (trust.kind === "insecure") return { rejectUnauthorized: false };
  const own = trust.kind === "ca" ? [caFile(trust)] : [];
  const extra = extraFile ? [textOf(extraFile) ?? ""] : [];
  return { secureContext: createSecureContext({ ca: [...systemCas(), ...extra, ...own] }) };
}

/** Where distributions keep the certificates of the CAs that the administrator trusts: Debian, Arch and Alpine; Fedora; openSUSE. */
const systemFiles = ["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/ca-bundle.pem"];

/** Those of the system alone, where it has any: a CA that the administrator took out counts no more. */
function systemCas(): readonly string[] {
  for (const file of systemFiles) {
    const text = textOf(file);
    if (text?.includes("-----BEGIN CERTIFICATE-----")) return [text];
  }
  return rootCertificates;
}

function textOf(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return undefined;
  }
}

/** The text of a file whose certificates can all be used: createSecureContext would pass over others in silence. */
function caFile({ file, at }: Extract<Trust, { readonly kind: "ca" }>): string {
  try {
    const text = readFileSync(file, "utf8");
    const certificates = text.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? [];
    if (certificates.length === 0) throw new Error("it has no certificate in PEM");
    for (const certificate of certificates) new X509Certificate(certificate);
    return text;
  } catch (error) {
    throw new NspawnError(`${at}: the ca_file ${file} cannot be used: ${messageOf(error)}`, { cause: error });
  }
}
