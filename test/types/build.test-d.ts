/**
 * What an editor accepts and refuses in a build script. Compiled by `npm run types`, never run: what is refused is proven by a directive
 * that would be an error itself if it were not needed.
 */
import {
  BOOTSTRAP,
  type Bootstrap,
  CAST,
  COPY,
  type CopyArgument,
  EXEC,
  FETCH,
  type FetchArgument,
  IMAGE,
  PULL,
  PUSH,
  type PullArgument,
  RUN,
  type Settings,
  SH,
  TOOL,
  WITH,
} from "../../src/dsl/build.js";

declare const text: string;
declare const list: readonly string[];

export function right(): void {
  IMAGE("https://images.example.org/web.tar.zst");
  IMAGE({ url: `https://images.example.org/${TOOL.dateDash()}.tar.zst` });

  PULL(text);
  PULL({ url: text });
  PULL({ url: text, digest: "sha256:…" });
  const parent = { url: text, digest: text } satisfies PullArgument;
  PULL(parent);

  BOOTSTRAP({ distribution: "debian", release: "bookworm" });
  BOOTSTRAP({ distribution: "ubuntu", release: text, packages: list, mirror: text, components: ["main"], variant: "minbase" });
  const bootstrap: Bootstrap = { distribution: "debian", release: "sid", packages: [] };
  BOOTSTRAP(bootstrap);

  EXEC(["/usr/sbin/nginx", "-g", "daemon off;"]);
  EXEC({ command: list });

  WITH({});
  WITH({ Boot: true, Hostname: "web", Port: [80, "tcp:443:8443"], Bind: null });
  WITH({ Boot: "yes", Bind: "/a:/b", Environment: "A=1" });
  WITH({ Bind: { source: "/srv/web/", target: "/srv/data", readOnly: true }, Environment: { TZ: "UTC", N: 1, DEBUG: false } });
  const settings: Settings = { KillSignal: "SIGTERM", Capability: ["CAP_NET_ADMIN"], Console: "pipe" };
  WITH(settings);
  WITH({ ...settings, Boot: undefined as unknown as null });

  FETCH({ url: text, path: "/usr/bin/tool" });
  FETCH({ url: text, path: "/", digest: text });
  FETCH({ url: text, source: "/tool-1.2/bin/tool", target: "/usr/local/bin/tool" });
  FETCH({ url: text, source: "/", target: "/opt/tool", digest: text });
  const archive: FetchArgument = { url: text, source: "/a", target: "/b" };
  FETCH(archive);

  COPY("/etc");
  COPY({ path: "/etc" });
  COPY({ source: "/root/input.md", target: "/root/output.md" });
  const files: readonly CopyArgument[] = ["/a", { path: "/b" }, { source: "c", target: "/c" }];
  for (const file of files) COPY(file);

  CAST("/root/readme.md");
  CAST("/root/readme.md", { variable: "value", list: [1, { a: null }], flag: true });
  CAST({ path: "/a" }, {});
  CAST({ source: "/a", target: "/b" }, { port: 8080 });

  RUN(["nginx", "-t"]);
  RUN(list);
  RUN({ command: ["nginx", "-t"] });
  RUN(["nginx", "-t"], { cache: false });
  RUN({ command: ["nginx", "-t"] }, { cache: true });

  SH("apt-get update");
  SH({ script: text });
  SH("apt-get update", { cache: false });
  SH({ script: text }, {});

  PUSH();
}

export function noTexts(): void {
  // @ts-expect-error nothing given
  IMAGE();
  // @ts-expect-error no text
  IMAGE(7);
  // @ts-expect-error no URL
  IMAGE({});
  // @ts-expect-error no such field
  IMAGE({ uri: text });
  // @ts-expect-error a grant is for setup scripts
  IMAGE({ url: text, grant: ["Bind"] });
  // @ts-expect-error a grant is for setup scripts
  IMAGE(text, { grant: ["Bind"] });
  // @ts-expect-error a list
  PULL([text]);
  // @ts-expect-error null
  PULL(null);
  // @ts-expect-error no such field
  PULL({ url: text, digst: text });
  // @ts-expect-error a digest goes into the object
  PULL(text, { digest: text });
  // @ts-expect-error no text
  PULL({ url: text, digest: 7 });
  // @ts-expect-error no URL
  PULL({ digest: text });
}

export function noBootstrap(): void {
  // @ts-expect-error no short form
  BOOTSTRAP("bookworm");
  // @ts-expect-error no release
  BOOTSTRAP({ distribution: "debian" });
  // @ts-expect-error no distribution
  BOOTSTRAP({ release: "bookworm" });
  // @ts-expect-error none that is known
  BOOTSTRAP({ distribution: "arch", release: "x" });
  // @ts-expect-error any text may be wrong
  BOOTSTRAP({ distribution: text, release: "x" });
  // @ts-expect-error no list
  BOOTSTRAP({ distribution: "debian", release: "sid", packages: "nginx" });
  // @ts-expect-error no such field
  BOOTSTRAP({ distribution: "debian", release: "sid", package: ["nginx"] });
  // @ts-expect-error no such word
  BOOTSTRAP({ distribution: "debian", release: "sid", variant: "huge" });
  // @ts-expect-error null
  BOOTSTRAP({ distribution: "debian", release: "sid", mirror: null });
  // @ts-expect-error numbers
  BOOTSTRAP({ distribution: "debian", release: 12 });
}

export function noCommands(): void {
  // @ts-expect-error a shell script
  RUN("nginx -t");
  // @ts-expect-error a number among the arguments
  RUN(["nginx", 1]);
  // @ts-expect-error a further argument
  RUN(["nginx"], "-t");
  // @ts-expect-error nothing given
  RUN();
  // @ts-expect-error no such field
  RUN({ commands: ["nginx"] });
  // @ts-expect-error a shell script
  RUN({ command: "nginx -t" });
  // @ts-expect-error a shell script
  EXEC("nginx -t");
  // @ts-expect-error no such field
  EXEC({ argv: ["nginx"] });
  // @ts-expect-error no command
  EXEC({});
  // @ts-expect-error a program and its arguments
  SH(["nginx", "-t"]);
  // @ts-expect-error no such field
  SH({ script: text, shell: "bash" });
  // @ts-expect-error nothing given
  SH();
  // @ts-expect-error no such option
  SH(text, { cached: false });
  // @ts-expect-error a text
  SH(text, { cache: "no" });
  // @ts-expect-error the options are a second argument
  SH({ script: text, cache: false });
  // @ts-expect-error no options
  RUN(list, false);
  // @ts-expect-error nothing of it is run in a build
  EXEC(list, { cache: false });
  // @ts-expect-error something given
  PUSH(text);
}

export function noFiles(): void {
  // @ts-expect-error no target
  COPY({ source: "/a" });
  // @ts-expect-error no source
  COPY({ target: "/a" });
  // @ts-expect-error path beside source and target
  COPY({ path: "/a", source: "/a", target: "/b" });
  // @ts-expect-error path beside target
  COPY({ path: "/a", target: "/b" });
  // @ts-expect-error two paths
  COPY("/a", "/b");
  // @ts-expect-error a list
  COPY(["/a", "/b"]);
  // @ts-expect-error nothing given
  COPY();
  // @ts-expect-error nothing in it
  COPY({});
  // @ts-expect-error no such field
  COPY({ path: "/a", mode: "0644" });
  // @ts-expect-error no variables
  CAST("/a", "b=1");
  // @ts-expect-error null
  CAST("/a", null);
  // @ts-expect-error no target
  CAST({ source: "/a" }, {});
  // @ts-expect-error a further argument
  CAST("/a", {}, {});
}

export function noArchives(): void {
  // @ts-expect-error no target
  FETCH({ url: text, source: "/a" });
  // @ts-expect-error no source
  FETCH({ url: text, target: "/a" });
  // @ts-expect-error neither
  FETCH({ url: text });
  // @ts-expect-error no URL
  FETCH({ path: "/a" });
  // @ts-expect-error path beside target
  FETCH({ url: text, path: "/a", target: "/b" });
  // @ts-expect-error path beside source
  FETCH({ url: text, path: "/a", source: "/b" });
  // @ts-expect-error no short form
  FETCH(text);
  // @ts-expect-error no such field
  FETCH({ url: text, path: "/a", digst: text });
  // @ts-expect-error no text
  FETCH({ url: new URL("https://h/a.tar"), path: "/a" });
}

export function noSettings(): void {
  // @ts-expect-error nothing given
  WITH();
  // @ts-expect-error a list
  WITH(["Boot=yes"]);
  // @ts-expect-error a text
  WITH("Boot=yes");
  // @ts-expect-error null
  WITH(null);
  // @ts-expect-error no such setting
  WITH({ Bot: true });
  // @ts-expect-error names are those of systemd
  WITH({ boot: true });
  // @ts-expect-error no boolean
  WITH({ Boot: "maybe" });
  // @ts-expect-error no boolean
  WITH({ Boot: 1 });
  // @ts-expect-error no text
  WITH({ Hostname: true });
  // @ts-expect-error a single value
  WITH({ Hostname: ["a"] });
  // @ts-expect-error no such word
  WITH({ Console: "loud" });
  // @ts-expect-error no such field
  WITH({ Bind: { source: "/a", targte: "/b" } });
  // @ts-expect-error no source
  WITH({ Bind: { target: "/b" } });
  // @ts-expect-error a list as a value
  WITH({ Environment: { A: ["b"] } });
  // @ts-expect-error a function
  WITH({ Environment: () => "A=1" });
}

export function readonlyArguments(pull: Exclude<PullArgument, string>, bootstrap: Bootstrap, settings: Settings): void {
  // @ts-expect-error what is given once stays
  pull.url = text;
  // @ts-expect-error what is given once stays
  bootstrap.release = text;
  // @ts-expect-error what is given once stays
  settings.Boot = true;
}
