// The steps of `npm test`, in order, with how each is judged.
import { existsSync, readFileSync, rmSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { path, projectNode } from "./project.mjs";
import { wrangler } from "./run.mjs";

const CARGO_RESULT = /^test result: .* (\d+) passed; (\d+) failed/gm;
const WASM = "wasm32-unknown-unknown";
const MAX_GZIP_BYTES = 1_000_000;
const faults = path("tests", "support", "faults", "index.js");
const report = path("build", "vitest.json");

const clippy = ["clippy", "--locked", "--quiet"];
const warningsAreErrors = ["--", "-D", "warnings"];
const doc = ["doc", "--locked", "--quiet", "--no-deps", "--document-private-items"];
const deny = ["deny", "--locked", "check", "--hide-inclusion-graph"];
const vitest = [path("node_modules", "vitest", "vitest.mjs"), "run"];
const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${report}`];

/**
 * A step has a `part` and a `name`, and a `command` that must succeed, `judge`d by more than its
 * exit code where needed. `after` names a step without which it makes no sense.
 */
export const checks = [
  {
    part: "check",
    name: "formatting",
    command: ["cargo", ["fmt", "--check", "--", "--color", "never"]],
  },
  {
    part: "check",
    name: "lints, native",
    command: ["cargo", [...clippy, "--all-targets", ...warningsAreErrors]],
  },
  {
    part: "check",
    name: "lints, wasm32",
    command: ["cargo", [...clippy, "--target", WASM, ...warningsAreErrors]],
  },
  {
    // For wasm32, where every room is compiled; natively the room of the runtime is left out.
    part: "check",
    name: "documentation without warnings",
    command: ["cargo", [...doc, "--target", WASM]],
    env: { RUSTDOCFLAGS: "-D warnings" },
  },
  {
    part: "check",
    name: "licences, banned crates and their sources",
    command: ["cargo", [...deny, "licenses", "bans", "sources"]],
  },
  {
    part: "check",
    name: "no unused dependencies",
    command: ["cargo", ["machete", "--with-metadata"]],
  },
  {
    part: "unit",
    name: "native tests",
    command: ["cargo", ["test", "--locked"]],
    judge: ({ output }) => counted([...output.matchAll(CARGO_RESULT)]),
  },
  {
    part: "e2e",
    name: "the Worker compiles",
    command: [process.execPath, [path("scripts", "build.mjs")]],
  },
  {
    part: "e2e",
    name: "the Worker could be deployed",
    after: "the Worker compiles",
    command: wrangler("deploy", "--dry-run", "--outdir", path("build", "worker-output")),
  },
  {
    part: "e2e",
    name: "the Worker bundles with faults around it",
    after: "the Worker compiles",
    command: wrangler("deploy", faults, "--dry-run", "--outdir", path("build", "faulty-output")),
  },
  {
    part: "e2e",
    name: "the Worker is under 1 MB",
    after: "the Worker compiles",
    judge() {
      const bytes = gzipSync(readFileSync(path("build", "index_bg.wasm")), { level: 9 }).length;
      const word = `${Math.ceil(bytes / 1000)} KB of wasm after gzip`;
      return { failed: bytes < MAX_GZIP_BYTES ? 0 : 1, word };
    },
  },
  {
    part: "e2e",
    name: "end-to-end and conformance tests",
    after: "the Worker bundles with faults around it",
    command: [projectNode, [...vitest, ...reporters]],
    judge() {
      if (!existsSync(report)) return { failed: 1, word: "no report" };
      const { numPassedTests, numFailedTests } = JSON.parse(readFileSync(report, "utf8"));
      rmSync(report);
      return counted([[null, numPassedTests, numFailedTests]]);
    },
  },
];

function counted(results) {
  const passed = results.reduce((sum, [, passed]) => sum + Number(passed), 0);
  const failed = results.reduce((sum, [, , failed]) => sum + Number(failed), 0);
  return { passed, failed, word: `${passed} passed, ${failed} failed` };
}
