// @ts-check
// Measures machines on the disposable host that it runs on: machines-in-host.mjs prepare | list | setup | same | update | restart
// All but the first print milliseconds.
import { spawn } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { get } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { time } from "./measure.mjs";

const scripts = "/root/bench";
/** Of the web server, in the host's network. */
const port = 18_080;
/** Milliseconds between two questions to it. */
const pause = 2;

/** @type {Readonly<Record<string, () => void | Promise<void>>>} */
const tasks = {
  prepare,
  list: () => print(time(["nspawn", "machine", "list"])),
  setup: () => {
    const script = writeSetup("m-next", ['EXEC(["sleep", "100000"]);']);
    time(["nspawn-setup", script, "--action=desure"]);
    print(time(["nspawn-setup", script]));
  },
  same: () => print(time(["nspawn-setup", `${scripts}/m-000.ts`])),
  update: async () => print(await downTime(["nspawn-setup", writeWeb()])),
  restart: async () => print(await downTime(["systemctl", "restart", "m-web"])),
};

await tasks[process.argv[2] ?? ""]?.();

/** 100 machines that run, and a web server. All but one are copies of the first one's unit: setting them up is measured for itself. */
function prepare() {
  mkdirSync(scripts, { recursive: true });
  time(["nspawn-setup", writeSetup("m-000", ['EXEC(["sleep", "100000"]);'])]);
  const unit = readFileSync("/etc/systemd/system/m-000.service", "utf8");
  const names = Array.from({ length: 99 }, (_, index) => `m-${String(index + 1).padStart(3, "0")}`);
  for (const name of names) writeFileSync(`/etc/systemd/system/${name}.service`, unit.replaceAll("m-000", name));
  time(["systemctl", "daemon-reload"]);
  time(["systemctl", "start", ...names]);
  time(["nspawn-setup", writeWeb()]);
}

/** Another version of the web server each time. */
function writeWeb() {
  return writeSetup("m-web", [
    `EXEC(["httpd", "-f", "-p", "127.0.0.1:${port}", "-h", "/etc"]);`,
    `WITH({ Environment: { VERSION: "${Date.now()}" } });`,
  ]);
}

/** @param {string} name @param {readonly string[]} lines */
function writeSetup(name, lines) {
  const path = `${scripts}/${name}.ts`;
  const head = ['import { EXEC, IMAGE, MACHINE, WITH } from "nspawn/setup";', 'IMAGE("file://localhost/srv/fix/rootfs.tar.gz");'];
  writeFileSync(path, [...head, `MACHINE("${name}");`, ...lines, ""].join("\n"));
  return path;
}

/**
 * The longest time without an answer from the web server while a command runs, as a client sees it that asks all the time.
 * @param {readonly string[]} argv
 */
async function downTime(argv) {
  let last = await answered();
  while (last === undefined) last = await answered();
  let isOver = false;
  const [program = "", ...args] = argv;
  const command = new Promise((done, fail) => {
    const child = spawn(program, args, { stdio: ["ignore", "ignore", "inherit"] });
    child.once("exit", (code) => (code === 0 ? done(undefined) : fail(new Error(`${argv.join(" ")} ended with ${code}`))));
  }).finally(() => {
    isOver = true;
  });
  let longest = 0;
  // Until it has ended, and answers again.
  for (let isUp = true; !isOver || !isUp; await sleep(pause)) {
    const now = await answered();
    isUp = now !== undefined;
    if (now === undefined) continue;
    longest = Math.max(longest, now - last);
    last = now;
  }
  await command;
  return longest;
}

/** @returns {Promise<number | undefined>} when the server answered, if it did */
function answered() {
  return new Promise((done) => {
    const request = get({ host: "127.0.0.1", port, path: "/passwd", agent: false, timeout: 200 }, (response) => {
      const end = () => done(response.statusCode === 200 ? performance.now() : undefined);
      // Behind the end, or where the server went away in the middle of its answer.
      response
        .resume()
        .once("end", end)
        .once("close", () => done(undefined));
    });
    request.once("error", () => done(undefined)).once("timeout", () => request.destroy());
  });
}

/** @param {number} milliseconds */
function print(milliseconds) {
  console.log(milliseconds);
}
