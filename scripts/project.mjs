// Where things lie, which versions are pinned, and the environment that every tool runs in.
import { existsSync, readFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));

/** The absolute path of something in the project. */
export const path = (...parts) => join(root, ...parts);

/** The project's own Node, newer than what many systems have. It exists after `npm ci`. */
export const projectNode = path("node_modules", "node", "bin", "node");

/** The environment of every tool: the project's own programs first, and nobody phones home. */
export const environment = {
  ...process.env,
  PATH: [path("node_modules", ".bin"), path(".tools", "bin"), process.env.PATH].join(delimiter),
  CARGO_TERM_COLOR: process.env.CARGO_TERM_COLOR ?? (process.stdout.isTTY ? "always" : "never"),
  CLOUDFLARE_CF_FETCH_ENABLED: "false",
  WRANGLER_HIDE_BANNER: "true",
  WRANGLER_SEND_ERROR_REPORTS: "false",
  WRANGLER_SEND_METRICS: "false",
};

/** The version of `crate` in Cargo.lock. */
export function lockedVersion(crate) {
  const entry = new RegExp(`^name = "${crate}"\\nversion = "([^"]+)"`, "m");
  return entry.exec(readFileSync(path("Cargo.lock"), "utf8"))[1];
}

/** The oldest Rust that compiles the project. */
export function oldestRust() {
  return /^rust-version = "([^"]+)"/m.exec(readFileSync(path("Cargo.toml"), "utf8"))[1];
}

/** The value of the option `name` in `args`, written `--name value` or `--name=value`. */
export function option(args, name, fallback) {
  const at = args.findIndex((arg) => arg === name || arg.startsWith(`${name}=`));
  if (at < 0) return fallback;
  return args[at] === name ? args[at + 1] : args[at].slice(name.length + 1);
}

/** The variables of `.dev.vars`, or none if there is no such file. */
export function devVars() {
  if (!existsSync(path(".dev.vars"))) return {};
  const lines = readFileSync(path(".dev.vars"), "utf8").matchAll(/^(\w+)=(["']?)(.*)\2$/gm);
  return Object.fromEntries([...lines].map(([, name, , value]) => [name, value]));
}
