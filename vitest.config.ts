import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";

const alias = {
  "nspawn/build": new URL("src/dsl/build.ts", import.meta.url).pathname,
  "nspawn/setup": new URL("src/dsl/setup.ts", import.meta.url).pathname,
};

export default defineConfig({
  test: {
    projects: [
      {
        resolve: { alias },
        test: {
          name: "unit",
          include: ["test/**/*.test.ts"],
          exclude: ["test/live/**"],
          // Many start programs, and wait for them: on two cores one at a time would leave one idle.
          maxWorkers: Math.max(2, availableParallelism() - 1),
          setupFiles: ["test/support/properties.ts"],
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        resolve: { alias },
        // Live tests mount, build and boot: as root, after the unit tests, with time for downloads of packages. Two files at once: each has its
        // own stores, namespaces and hosts, and waits for programs for half of its time.
        test: {
          name: "live",
          include: ["test/live/**/*.test.ts"],
          globalSetup: "test/live/support/package.ts",
          // A disposable host dies with the thread that started it.
          pool: "forks",
          maxWorkers: 2,
          sequence: { groupOrder: 1 },
          testTimeout: 300_000,
          hookTimeout: 600_000,
          // What a test waits for comes at once, but on a busy machine.
          expect: { poll: { timeout: 30_000 } },
        },
      },
    ],
  },
});
