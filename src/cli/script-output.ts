import { Console } from "node:console";
import { Writable } from "node:stream";
import type { Report } from "../base/events.js";

/** What a script itself prints becomes `output` events, so that nothing else gets among the lines of JSON. */
export function scriptOutputToEvents(report: Report): void {
  const lines = new Writable({
    write(chunk: Buffer, _encoding, done) {
      for (const line of chunk.toString().replace(/\n$/, "").split("\n")) report({ kind: "output", line });
      done();
    },
  });
  globalThis.console = new Console({ stdout: lines, stderr: lines });
  process.stdout.write = lines.write.bind(lines);
}
