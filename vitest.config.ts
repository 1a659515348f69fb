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
          setupFiles: ["test/support/properties.ts"],
          testTimeout: 60_000,
        },
      },
      {
        resolve: { alias },
        // Live tests mount, build and boot: as root, one file after the other, with time for downloads of packages.
        test: {
          name: "live",
          include: ["test/live/**/*.test.ts"],
          globalSetup: "test/live/support/package.ts",
          // A disposable host dies with the thread that started it.
          pool: "forks",
          fileParallelism: false,
          testTimeout: 300_000,
          hookTimeout: 600_000,
        },
      },
    ],
  },
});
