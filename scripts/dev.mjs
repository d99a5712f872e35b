// Serves the Worker on this machine: sets up, migrates, starts `wrangler dev`, prints a first call.
// Options are passed on to wrangler; --port and --persist-to are the ones most wanted.
import { createServer } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { build } from "./build.mjs";
import { localMigrations } from "./migrate.mjs";
import { devVars, option } from "./project.mjs";
import { start, stop, wrangler } from "./run.mjs";
import { setUp } from "./setup.mjs";

const args = process.argv.slice(2);
const host = option(args, "--ip", "127.0.0.1");
const port = option(args, "--port", "8787");
const url = `http://${host}:${port}`;
if (!(port >= 1 && port <= 65_535)) stop(`--port ${port} is not a number from 1 to 65535`);

await stopIfTaken();
const migrations = localMigrations(option(args, "--persist-to"));
await setUp({ then: [{ name: "Worker", take: build }, migrations] });

const defaults = [
  ...(option(args, "--ip") ? [] : ["--ip", host]),
  ...(option(args, "--port") ? [] : ["--port", port]),
];
const interactive = "--show-interactive-dev-session=false";
const server = start(...wrangler("dev", ...defaults, interactive, ...args));

// A terminal sends Ctrl-C to wrangler too; whoever ends this process alone relies on these.
let asked = false;
for (const signal of ["SIGHUP", "SIGINT", "SIGTERM"]) {
  process.on(signal, () => {
    asked = true;
    server.child.kill("SIGTERM");
  });
}
server.exited.then((code) => process.exit(asked ? 0 : code));

while (!(await answers())) await sleep(200);
console.log(`
holdfast answers at ${url}. A first call with the key of the environment "dev":

  curl ${url}/connections -H 'Authorization: Bearer ${devVars().HOLDFAST_SECRET_KEY_DEV}'

All keys are in .dev.vars. Ctrl-C ends it.
`);

function stopIfTaken() {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.on("error", ({ code }) =>
      stop(
        code === "EADDRINUSE"
          ? `Port ${port} is in use: end what listens there, or choose another with "-- --port N"`
          : `Cannot listen on ${host}:${port} (${code})`,
      ),
    );
    probe.listen(Number(port), host, () => probe.close(resolve));
  });
}

async function answers() {
  const response = await fetch(`${url}/health`).catch(() => undefined);
  await response?.arrayBuffer();
  return response?.ok;
}
