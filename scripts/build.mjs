// Compiles the Worker to build/: the build command of wrangler.toml.
import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { path } from "./project.mjs";
import { cargoProgress, must, stop } from "./run.mjs";
import { takeSteps } from "./steps.mjs";

/** Builds the Worker, or does nothing if what cargo compiles has not changed. */
export async function build(progress) {
  const missing = [workerBuild, ...Object.values(tools)].find((tool) => !existsSync(tool));
  if (missing) stop(`${missing} is missing: run "npm run setup"`);

  // worker-build does this too, in the same environment, and then spends seconds on shrinking
  // wasm that it has shrunk before.
  const cargo = ["build", "--locked", "--release", "--lib", "--target", "wasm32-unknown-unknown"];
  const options = cargoProgress(progress, { WASM_BINDGEN_USE_JS_SYS: "1" });
  await must("The Worker does not compile", "cargo", cargo, options);
  const digest = sha256(wasm, path("package-lock.json"), path("Cargo.lock"));
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === digest) return "unchanged";

  await must("worker-build failed", workerBuild, ["--release", "--locked"], { env: tools });
  // worker-build keeps the names of functions, a twelfth of the module after gzip. A panic tells its
  // place in the source without them.
  const module = path("build", "index_bg.wasm");
  await must("wasm-opt failed", tools.WASM_OPT_BIN, [module, "--strip-debug", "-o", module]);
  writeFileSync(stamp, digest);
}

// worker-build downloads what these variables do not name.
const tools = {
  ESBUILD_BIN: path("node_modules", ".bin", "esbuild"),
  WASM_BINDGEN_BIN: path(".tools", "bin", "wasm-bindgen"),
  WASM_OPT_BIN: path("node_modules", ".bin", "wasm-opt"),
};
const workerBuild = path(".tools", "bin", "worker-build");
const stamp = path("build", ".built-from");
const target = process.env.CARGO_TARGET_DIR ?? path("target");
const wasm = `${target}/wasm32-unknown-unknown/release/holdfast.wasm`;

function sha256(...files) {
  const hash = createHash("sha256");
  for (const file of files) hash.update(readFileSync(file));
  return hash.digest("hex");
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  await takeSteps([{ name: "Worker", take: build }]);
}
