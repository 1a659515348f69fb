import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import type { Certificate } from "../../support/certificates.js";
import { closedPort } from "../../support/server.js";
import { sleep } from "./build.js";

export type NginxOptions = {
  readonly certificate: Certificate;
  readonly username: string;
  readonly password: string;
  /** nginx directives for the location with the images. */
  readonly more?: string;
};

/** An nginx with TLS that serves a folder for everybody, and takes uploads (WebDAV PUT) from one user. */
export class Nginx {
  readonly url: string;
  /** What it serves. */
  readonly root: string;
  readonly #config: string;
  #process: ChildProcess | undefined;

  private constructor(folder: string, port: number) {
    this.url = `https://localhost:${port}`;
    this.root = join(folder, "root");
    this.#config = join(folder, "nginx.conf");
  }

  static async start(folder: string, { certificate, username, password, more = "" }: NginxOptions): Promise<Nginx> {
    const port = await closedPort();
    const nginx = new Nginx(folder, port);
    for (const name of ["root", "body"]) mkdirSync(join(folder, name), { recursive: true });
    execFileSync("chmod", ["-R", "a+rwX", folder]);
    const hash = execFileSync("openssl", ["passwd", "-apr1", "-stdin"], { input: password, encoding: "utf8" }).trim();
    writeFileSync(join(folder, "users"), `${username}:${hash}\n`);
    writeFileSync(
      nginx.#config,
      `daemon off; master_process off; pid ${folder}/pid; error_log ${folder}/error.log;
events {}
http {
  access_log ${folder}/access.log; client_body_temp_path ${folder}/body; default_type application/octet-stream;
  server {
    listen 127.0.0.1:${port} ssl; ssl_certificate ${certificate.certFile}; ssl_certificate_key ${certificate.keyFile};
    location / {
      root ${nginx.root}; dav_methods PUT; create_full_put_path on; client_max_body_size 100m; ${more}
      limit_except GET { auth_basic images; auth_basic_user_file ${folder}/users; }
    }
    location /small/ { root ${nginx.root}; dav_methods PUT; client_max_body_size 1k; }
    location /private/ { root ${nginx.root}; auth_basic images; auth_basic_user_file ${folder}/users; }
  }
}
`,
    );
    await nginx.start();
    return nginx;
  }

  async start(): Promise<void> {
    this.#process = spawn("nginx", ["-c", this.#config], { stdio: ["ignore", "inherit", "inherit"] });
    const port = Number(new URL(this.url).port);
    while (!(await takesConnections(port))) {
      if (this.#process.exitCode !== null) throw new Error("nginx has ended");
      await sleep(20);
    }
  }

  /** At once: whoever is served is cut off. */
  async stop(): Promise<void> {
    const closed = new Promise((done) => this.#process?.once("close", done));
    this.#process?.kill("SIGKILL");
    await closed;
  }
}

function takesConnections(port: number): Promise<boolean> {
  return new Promise((done) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("connect", () => done(true)).once("error", () => done(false));
    socket.once("connect", () => socket.destroy());
  });
}
