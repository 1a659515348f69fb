import { afterAll, beforeAll, expect, test } from "vitest";
import { tries } from "../support/tries.js";
import type { DisposableHost } from "./support/host.ts";
import { bootMachineHost } from "./support/machine.ts";

let host: DisposableHost;

beforeAll(async () => {
  host = await bootMachineHost("nspawn-setup-kill");
  await host.shell("mkdir -p /etc/nspawn /root/s; printf '[machine]\\nsettle_time = 0.1\\n' > /etc/nspawn/config.ini");
});
afterAll(() => host?.stop());

const lanes = 2;
const kills = lanes * tries(25);

/** What one kill left, and what a second run made of it. */
type Trial = {
  readonly killed: boolean;
  /** The version that ran before, and the one of the update. */
  readonly old: number;
  readonly wanted: number;
  /** State of the unit after the kill, and the versions that have written into the root that is mounted then. */
  readonly active: string;
  readonly wrote: string;
  /** The same after the second run, with its exit code, what is left of trials, and how many generations there are. */
  readonly code: number;
  readonly thenWrote: string;
  readonly trials: number;
  readonly generations: number;
};

/**
 * Updates a machine again and again, kills each update at a random moment, every second one when its generation has come on trial, looks at
 * what runs then without any command of ours, and updates once more. All in one shell in the host, since entering that takes as long as an
 * update. Each version writes its number into the machine's root when it starts: another number in it would be a mix of two.
 */
const lane = String.raw`
name=$1 count=$2 script=/root/s/$1.ts
write() {
  printf '%s\n' '#!/usr/bin/env nspawn-setup' 'import { EXEC, IMAGE, MACHINE, WITH } from "nspawn/setup";' 'IMAGE("file:///srv/fix/rootfs.tar.gz");' \
    "MACHINE({ name: '$name', state: 'keep' });" "EXEC(['sh', '-c', 'echo $1 >> /root/log; exec sleep 600']);" > $script
  chmod 755 $script
}
running() { main=$(systemctl show -P MainPID $name); ps -o pid= --ppid $main | tr -d ' '; }
wrote() { sort -u /proc/$(running)/root/root/log 2>/dev/null | tr '\n' ' '; }
idle() { for i in $(seq 300); do [ "$(systemctl show -P Job $name)" = '' ] && [ "$(systemctl show -P ActiveState $name)" != activating ] && break; sleep 0.02; done; sleep 0.05; }
first() { write $1; $script >/root/s/$name.log 2>&1 || { cat /root/s/$name.log >&2; exit 1; }; }
first 1; began=$(date +%s%N); first 2; whole=$(( ($(date +%s%N) - began) / 1000000 ))
old=2
for i in $(seq $count); do
  wanted=$((old + 1)); write $wanted
  $script >/dev/null 2>&1 & pid=$!
  if [ $((i % 2)) = 0 ]; then
    moment=$(( (whole * (i - 1) + RANDOM * whole / 32768) / count / 2 ))
    until [ -e /var/lib/nspawn/generation/$name/*/trial.json ] || ! kill -0 $pid 2>/dev/null; do sleep 0.01; done
  else
    moment=$(( (whole * (i - 1) + RANDOM * whole / 32768) / count + 60 ))
  fi
  sleep $(printf '%d.%03d' $((moment / 1000)) $((moment % 1000)))
  killed=false; kill -KILL $pid 2>/dev/null && killed=true; wait $pid 2>/dev/null
  idle
  active=$(systemctl is-active $name); now=$(wrote)
  began=$(date +%s%N); $script >/root/s/$name.log 2>&1; code=$?
  # How long a whole one takes changes with what else this machine has to do.
  grep -q 'cut short' /root/s/$name.log || [ "$now" != "$old " ] || whole=$(( ($(date +%s%N) - began) / 1000000 ))
  echo "{\"killed\":$killed,\"old\":$old,\"wanted\":$wanted,\"active\":\"$active\",\"wrote\":\"$now\",\"code\":$code,\"thenWrote\":\"$(wrote)\",\"trials\":$(ls /var/lib/nspawn/generation/$name/*/trial.json 2>/dev/null | wc -l),\"generations\":$(ls /var/lib/nspawn/generation/$name | wc -l)}"
  [ $code = 0 ] || cat /root/s/$name.log >&2
  old=$wanted
done
`;

test(`killed at ${kills} moments of an update, the old machine runs or the new one, and a second run finishes the job`, async () => {
  const results = await Promise.all(
    Array.from({ length: lanes }, (_, index) => host.run(["bash", "-c", lane, "bash", `k-${index}`, String(kills / lanes)])),
  );
  for (const { code, stderr } of results) expect([code, stderr]).toEqual([0, ""]);
  const trials = results.flatMap(({ stdout }) =>
    stdout
      .trim()
      .split("\n")
      .map((line): Trial => JSON.parse(line)),
  );
  expect(trials).toHaveLength(kills);
  for (const trial of trials) {
    expect(trial.active, JSON.stringify(trial)).toBe("active");
    expect([`${trial.old} `, `${trial.wanted} `], JSON.stringify(trial)).toContain(trial.wrote);
    expect(trial, JSON.stringify(trial)).toMatchObject({ code: 0, thenWrote: `${trial.wanted} `, trials: 0, generations: 3 });
  }
  // Else they came too late to show anything.
  expect(trials.filter(({ killed }) => killed).length).toBeGreaterThan(kills / 2);
  expect(new Set(trials.map(({ old, wrote }) => wrote === `${old} `)).size).toBe(2);
});
