// @ts-check
// Serves the files of a folder over HTTP on the loopback interface, and writes its port to a file: file-server.mjs FOLDER PORT-FILE
import { createReadStream, renameSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { basename, join } from "node:path";

const [folder = "", portFile = ""] = process.argv.slice(2);

const server = createServer((request, response) => {
  const path = join(folder, basename(request.url ?? ""));
  const { size, mtimeMs } = statSync(path);
  response.setHeader("content-length", size);
  response.setHeader("etag", `"${mtimeMs}-${size}"`);
  if (request.method === "HEAD") response.end();
  else createReadStream(path, { highWaterMark: 1 << 20 }).pipe(response);
});
// It ends with whoever has started it, in whatever way that ends.
const parent = process.ppid;
setInterval(() => process.ppid !== parent && process.exit(), 1000);
server.listen(0, "127.0.0.1", () => {
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("there is no port");
  writeFileSync(`${portFile}.new`, String(address.port));
  renameSync(`${portFile}.new`, portFile);
});
