// Installs whatever the project needs and this machine lacks, into the project's own folders.
import { createHash, randomBytes, randomUUID } from "node:crypto";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { lockedVersion, oldestRust, path } from "./project.mjs";
import { cargoProgress, must, run, stop } from "./run.mjs";
import { takeSteps } from "./steps.mjs";

const OLDEST_NODE = 18;
const WASM = "wasm32-unknown-unknown";
const isLinux = process.platform === "linux";
const secrets = path(".dev.vars");

/** The step that installs what scripts import beside Node itself. */
export const nodePackages = {
  name: "Node packages",
  done: packagesAreInstalled,
  take: installPackages,
};

/**
 * Sets up what `npm run dev` needs, with `tests` also what only the tests need, and goes on with
 * the steps of `then`.
 */
export async function setUp({ tests = false, then = [] } = {}) {
  await takeSteps([
    { name: "Node and Rust", take: checkTools },
    nodePackages,
    { name: "Rust for wasm32", done: wasmTargetIsInstalled, take: installWasmTarget },
    rustTool("worker-build", lockedVersion("worker"), "--bin", "worker-build"),
    rustTool("wasm-bindgen-cli", lockedVersion("wasm-bindgen"), "--bin", "wasm-bindgen"),
    ...(tests ? [rustTool("cargo-deny", "0.20.2"), rustTool("cargo-machete", "0.9.2")] : []),
    { name: "Secrets in .dev.vars", done: () => existsSync(secrets), take: writeSecrets },
    ...then,
  ]);
  rmSync(quickToCompile.CARGO_TARGET_DIR, { recursive: true, force: true });
}

async function checkTools() {
  const node = Number(process.versions.node.split(".")[0]);
  if (node < OLDEST_NODE) {
    const fix = `install ${OLDEST_NODE} or newer from https://nodejs.org`;
    stop(`Node ${process.versions.node} is too old: ${fix}`);
  }
  const oldest = oldestRust();
  const versionOf = (tool) => run(tool, ["--version"]);
  const [rustc, cargo] = await Promise.all([versionOf("rustc"), versionOf("cargo")]);
  if (rustc.code !== 0 || cargo.code !== 0) {
    stop(`rustc or cargo is missing: install Rust ${oldest} or newer from https://rustup.rs`);
  }
  const [version, major, minor] = /(\d+)\.(\d+)\.\d+/.exec(rustc.output);
  const [oldestMajor, oldestMinor] = oldest.split(".").map(Number);
  if (major < oldestMajor || (Number(major) === oldestMajor && minor < oldestMinor)) {
    stop(`Rust ${version} is too old, ${oldest} is needed: run "rustup update stable"`);
  }
  return `${process.versions.node}, ${version}`;
}

// The lock file's digest, left in node_modules, says what was installed there.
const lockStamp = () => path("node_modules", ".holdfast-lock");
const lockDigest = () =>
  createHash("sha256").update(readFileSync(path("package-lock.json"))).digest("hex");

function packagesAreInstalled() {
  return existsSync(lockStamp()) && readFileSync(lockStamp(), "utf8") === lockDigest();
}

async function installPackages() {
  await must("npm ci failed", "npm", ["ci", "--no-audit", "--no-fund", "--no-update-notifier"]);
  writeFileSync(lockStamp(), lockDigest());
}

async function wasmTargetIsInstalled() {
  const { output } = await run("rustc", ["--print", "sysroot"]);
  return existsSync(`${output.trim()}/lib/rustlib/${WASM}/lib`);
}

async function installWasmTarget() {
  const { code } = await run("rustup", ["--version"]);
  if (code !== 0) stop(`Rust lacks ${WASM}: install it with rustup from https://rustup.rs`);
  await must("rustup failed", "rustup", ["target", "add", WASM]);
}

/** A step that compiles a command-line tool from crates.io into .tools/bin. */
function rustTool(crate, version, ...which) {
  return {
    name: `${crate} ${version}`,
    done() {
      const record = path(".tools", ".crates.toml"); // cargo's own list of what it installed
      return existsSync(record) && readFileSync(record, "utf8").includes(`"${crate} ${version} (`);
    },
    async take(progress) {
      await checkLibraries();
      const install = ["install", "--locked", "--root", path(".tools")];
      const args = [...install, `${crate}@${version}`, ...which];
      const options = cargoProgress(progress, quickToCompile);
      await must(`${crate} does not install`, "cargo", args, options);
    },
  };
}

// These tools run for seconds: what counts is how long they take to compile.
const quickToCompile = {
  CARGO_PROFILE_RELEASE_CODEGEN_UNITS: "256",
  CARGO_PROFILE_RELEASE_DEBUG: "0",
  CARGO_PROFILE_RELEASE_LTO: "off",
  CARGO_PROFILE_RELEASE_OPT_LEVEL: "0",
  CARGO_TARGET_DIR: path(".tools", "target"),
  RUSTFLAGS: "",
};

async function checkLibraries() {
  if ((await run("cc", ["--version"])).code !== 0) {
    const linux = "install build-essential (Debian, Ubuntu) or gcc (Fedora)";
    stop(`A C compiler is missing: ${isLinux ? linux : 'run "xcode-select --install"'}`);
  }
  if (!isLinux || process.env.OPENSSL_DIR) return; // elsewhere worker-build uses the system's TLS
  if ((await run("pkg-config", ["--exists", "openssl"])).code !== 0) {
    const fix = "install pkg-config and libssl-dev (Debian, Ubuntu) or openssl-devel (Fedora)";
    stop(`The headers of OpenSSL are missing: ${fix}`);
  }
}

async function writeSecrets() {
  const variables = {
    HOLDFAST_ENCRYPTION_KEYS: `1:${randomBytes(32).toString("base64")}`,
    HOLDFAST_ACCOUNT_KEY: randomBytes(32).toString("hex"),
    HOLDFAST_SECRET_KEY_DEV: randomUUID(),
    HOLDFAST_SECRET_KEY_PROD: randomUUID(),
    HOLDFAST_ALLOW_PRIVATE_PROVIDERS: "true",
  };
  const lines = Object.entries(variables).map(([name, value]) => `${name}="${value}"\n`);
  writeFileSync(secrets, lines.join(""), { mode: 0o600, flag: "wx" });
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) await setUp();
