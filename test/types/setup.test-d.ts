/** What an editor accepts and refuses in a setup script; see build.test-d.ts. */
import * as setup from "../../src/dsl/setup.js";
import {
  CAST,
  COPY,
  EXEC,
  IMAGE,
  type ImageOptions,
  MACHINE,
  type Machine,
  type Probe,
  RUN,
  type Settings,
  SH,
  TOOL,
  WITH,
} from "../../src/dsl/setup.js";

declare const text: string;
declare const list: readonly string[];

export async function right(): Promise<void> {
  IMAGE("https://images.example.org/web.tar.zst");
  IMAGE(text, {});
  IMAGE(text, { grant: ["Bind", "Port"] });
  IMAGE({ url: text });
  IMAGE({ url: text, grant: [] });
  IMAGE({ url: text, grant: ["Bind"] }, { grant: ["Port"] });
  const options: ImageOptions = { grant: ["Capability"] };
  IMAGE(text, options);

  MACHINE("web");
  MACHINE({ name: "web" });
  MACHINE({
    name: text,
    template: "web.service",
    unitConf: ["After=postgresql.service"],
    serviceConf: list,
    installConf: [],
    state: "keep",
  });
  MACHINE({ name: "web", probe: { command: "nginx -t" } });
  MACHINE({ name: "web", probe: { command: list, timeout: 5 } });
  MACHINE({ name: "web", probe: { tcp: 80 } });
  MACHINE({ name: "web", probe: { tcp: "web.example.org:80" } });
  const probe: Probe = { http: "https://web.example.org/health", timeout: 0.5 };
  MACHINE({ name: "web", probe });
  const machine: Machine = { name: "web", state: "volatile" };
  MACHINE(machine);

  EXEC(["/usr/sbin/nginx"]);
  EXEC({ command: list });

  WITH({ MACVLAN: TOOL.selectInterface(), Register: true, KeepUnit: true });
  WITH({ Bind: [{ source: "/srv/web/" }, "/etc/ssl"], VirtualEthernet: true, Port: 80, Environment: null });
  const settings: Settings = { LimitNOFILE: 1024, PrivateUsers: "pick" };
  WITH(settings);

  COPY("/etc/web.conf");
  COPY({ path: "/etc/web.conf" });
  COPY({ source: "/web.conf", target: "/etc/web/web.conf" });
  CAST("/etc/web.conf");
  CAST("/etc/web.conf", { port: 8080, address: await TOOL.publicAddress() });
  CAST({ source: "a", target: "/b" }, { names: TOOL.interfaceList() });
  RUN(["mkdir", "-p", "/srv/web"]);
  RUN({ command: list });
  SH("mkdir -p /srv/web");
  SH({ script: text });
}

export function noImages(): void {
  // @ts-expect-error nothing given
  IMAGE();
  // @ts-expect-error what is no setting
  IMAGE(text, { grant: ["Binds"] });
  // @ts-expect-error what is no setting
  IMAGE({ url: text, grant: ["bind"] });
  // @ts-expect-error any text may be no setting
  IMAGE(text, { grant: list });
  // @ts-expect-error no list
  IMAGE(text, { grant: "Bind" });
  // @ts-expect-error no such field
  IMAGE(text, { grants: ["Bind"] });
  // @ts-expect-error no options
  IMAGE(text, ["Bind"]);
  // @ts-expect-error no URL
  IMAGE({ grant: ["Bind"] });
  // @ts-expect-error a digest is for PULL
  IMAGE({ url: text, digest: text });
}

export function noMachines(): void {
  // @ts-expect-error two ways at once
  MACHINE({ name: "web", probe: { tcp: 80, command: "true" } });
  // @ts-expect-error no way at all
  MACHINE({ name: "web", probe: { timeout: 5 } });
  // @ts-expect-error seconds are a number
  MACHINE({ name: "web", probe: { tcp: 80, timeout: "5s" } });
  // @ts-expect-error a port alone says too little
  MACHINE({ name: "web", probe: 80 });
  // @ts-expect-error nothing given
  MACHINE();
  // @ts-expect-error no name
  MACHINE({});
  // @ts-expect-error no name
  MACHINE({ state: "keep" });
  // @ts-expect-error no such word
  MACHINE({ name: "web", state: "kept" });
  // @ts-expect-error no list
  MACHINE({ name: "web", serviceConf: "CPUQuota=50%" });
  // @ts-expect-error no texts
  MACHINE({ name: "web", serviceConf: [{ CPUQuota: "50%" }] });
  // @ts-expect-error no such field
  MACHINE({ name: "web", serviceConfig: [] });
  // @ts-expect-error options go into the object
  MACHINE("web", { state: "keep" });
  // @ts-expect-error a number
  MACHINE({ name: 7 });
  // @ts-expect-error null
  MACHINE({ name: "web", template: null });
}

export function noSteps(): void {
  // @ts-expect-error a shell script
  EXEC("nginx");
  // @ts-expect-error a shell script
  RUN("mkdir -p /srv/web");
  // @ts-expect-error a list
  SH(["mkdir"]);
  // @ts-expect-error path beside source
  COPY({ path: "/a", source: "/b" });
  // @ts-expect-error no target
  COPY({ source: "/a" });
  // @ts-expect-error no variables
  CAST("/a", ["b"]);
  // @ts-expect-error no such setting
  WITH({ Hostnam: "web" });
  // @ts-expect-error no boolean
  WITH({ Boot: "maybe" });
  // @ts-expect-error no text
  WITH({ Hostname: true });
}

export function notOfSetups(): void {
  // @ts-expect-error parents are of build scripts
  setup.PULL(text);
  // @ts-expect-error bottom layers are of build scripts
  setup.BOOTSTRAP({ distribution: "debian", release: "sid" });
  // @ts-expect-error downloads are of build scripts
  setup.FETCH({ url: text, path: "/a" });
  // @ts-expect-error publishing is of build scripts
  setup.PUSH();
}

export function readonlyArguments(machine: Machine): void {
  // @ts-expect-error what is given once stays
  machine.name = text;
}
