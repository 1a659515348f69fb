import { expect, test } from "vitest";
import { machineNameIn } from "../../src/machine/nspawn-options.js";

test.each([
  ["--machine=web --directory=/srv/a /bin/sh", "web"],
  ["--machine web --directory /srv/a", "web"],
  ["-M web -D /srv/a", "web"],
  ["-bMweb -D/srv/a", "web"],
  ["-qbxD /srv/a/", "a"],
  ["--quiet --keep-unit --boot --directory=/srv/a", "a"],
  ["-i /srv/a.raw", "a"],
  ["--setenv --machine=x -M web", "web"],
  ["-E -Mx -M web", "web"],
  ["--register no --settings no -M web", "web"],
  ["--private-users -M web", "web"],
  ["--private-users=pick -U -n -M web", "web"],
  ["-D /srv/a sh -c -M x", "a"],
  ["-D /srv/a -- -M x", "a"],
  ["-M old -M new", "new"],
  ["-b", "here"],
])("systemd-nspawn %s runs the machine %s", (line, name) => {
  expect(machineNameIn(line.split(" "), () => "/srv/here")).toBe(name);
});
