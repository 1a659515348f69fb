import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** A certificate with its key, in PEM, and the files that have them. */
export type Certificate = { readonly cert: string; readonly key: string; readonly certFile: string; readonly keyFile: string };

/** A CA for one test. */
export type TestCa = Certificate & {
  /** A certificate for a host, from `days[0]` to `days[1]` from now. */
  issue(host: string, days?: readonly [number, number]): Certificate;
};

/** Makes a CA in a folder, by openssl. */
export function makeCa(folder: string, name = "ca"): TestCa {
  const [keyFile, certFile] = [join(folder, `${name}.key`), join(folder, `${name}.pem`)];
  openssl("req", "-x509", ...newKey(keyFile), "-out", certFile, "-days", "2", "-subj", `/CN=${name}`, "-addext", "keyUsage=keyCertSign");
  let issued = 0;
  return {
    ...read(certFile, keyFile),
    issue: (host, [from, to] = [-1, 1]) => {
      const base = join(folder, `${name}-${issued++}`);
      openssl("req", ...newKey(`${base}.key`), "-out", `${base}.csr`, "-subj", `/CN=${host}`);
      writeFileSync(`${base}.ext`, `subjectAltName=${/^[\d.]+$/.test(host) ? "IP" : "DNS"}:${host}\n`);
      // `openssl x509` cannot begin a certificate in the past before version 3.4; `openssl ca` can.
      writeFileSync(`${base}.index`, "");
      const config = `[ca]\ndefault_ca=own\n[own]\ndatabase=${base}.index\nnew_certs_dir=${folder}\ndefault_md=sha256\npolicy=any\nrand_serial=yes\n[any]\ncommonName=supplied\n`;
      writeFileSync(`${base}.cnf`, config);
      openssl(
        "ca",
        "-batch",
        "-notext",
        "-config",
        `${base}.cnf`,
        "-cert",
        certFile,
        "-keyfile",
        keyFile,
        "-in",
        `${base}.csr`,
        "-out",
        `${base}.pem`,
        "-extfile",
        `${base}.ext`,
        "-startdate",
        timeOf(from),
        "-enddate",
        timeOf(to),
      );
      return read(`${base}.pem`, `${base}.key`);
    },
  };
}

function newKey(path: string): readonly string[] {
  return ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", path];
}

/** As ASN.1 has it: YYYYMMDDHHMMSSZ. */
function timeOf(days: number): string {
  return `${new Date(Date.now() + days * 86_400_000).toISOString().replace(/[-:T]|\..*/g, "")}Z`;
}

function read(certFile: string, keyFile: string): Certificate {
  return { certFile, keyFile, cert: readFileSync(certFile, "utf8"), key: readFileSync(keyFile, "utf8") };
}

function openssl(...args: readonly string[]): void {
  execFileSync("openssl", args, { stdio: ["ignore", "ignore", "pipe"] });
}
