// Runs other programs: quietly with their output kept, or in the foreground.
import { spawn } from "node:child_process";
import { environment, path, projectNode } from "./project.mjs";

/**
 * Runs a program and resolves to `{ code, output, stdout }`, where `output` is all it said; `code`
 * is null if it could not start or died of a signal. `onOutput` sees the output as it comes.
 */
export function run(command, args, { env = {}, onOutput = () => {} } = {}) {
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      cwd: path(),
      env: { ...environment, ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let output = "";
    let stdout = "";
    const take = (text) => {
      output += text;
      onOutput(text);
    };
    child.stdout.setEncoding("utf8").on("data", take).on("data", (text) => (stdout += text));
    child.stderr.setEncoding("utf8").on("data", take);
    child.on("error", ({ message }) => resolve({ code: null, output: message, stdout: "" }));
    child.on("close", (code) => resolve({ code, output, stdout }));
  });
}

/** Options of `run` under which cargo tells `progress` how far it is, as in "45/282". */
export function cargoProgress(progress, env) {
  return {
    env: { ...env, CARGO_TERM_PROGRESS_WHEN: "always", CARGO_TERM_PROGRESS_WIDTH: "80" },
    onOutput: (text) => progress(/\d+\/\d+(?=: |$)/m.exec(text)?.[0]),
  };
}

/** Runs a program that must succeed: if it fails, shows its output and ends with `message`. */
export async function must(message, command, args, options) {
  const { code, output } = await run(command, args, options);
  const shown = output.replace(/^.*\r/gm, ""); // without the progress that a terminal overwrites
  if (code !== 0) stop(`\n${shown.trim()}\n\n${message}; why is above`);
  return output;
}

/** Starts a program that owns the terminal; `exited` resolves to its code. */
export function start(command, args, { env = {} } = {}) {
  const child = spawn(command, args, {
    cwd: path(),
    env: { ...environment, ...env },
    stdio: "inherit",
  });
  const exited = new Promise((resolve) => {
    child.on("error", () => resolve(1));
    child.on("close", (code) => resolve(code ?? 1));
  });
  return { child, exited };
}

/** The command line of wrangler, which needs a newer Node than the one that runs this. */
export function wrangler(...args) {
  return [projectNode, [path("node_modules", "wrangler", "bin", "wrangler.js"), ...args]];
}

/** Says in one line what is wrong, and ends. */
export function stop(message) {
  console.error(message);
  process.exit(1);
}
