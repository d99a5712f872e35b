// End-to-end and conformance tests: one file after another, since each file runs a whole workerd.
import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    fileParallelism: false,
    hookTimeout: 60_000,
    include: ["tests/{conformance,e2e}/**/*.test.mjs"],
    maxWorkers: 1,
    pool: "forks",
    testTimeout: 30_000,
  },
});
