// Migrates the remote D1, made the first time, deploys the Worker, and names the secrets it lacks.
// Options are passed on to `wrangler deploy`.
import { must, run, start, stop, wrangler } from "./run.mjs";
import { build } from "./build.mjs";
import { setUp } from "./setup.mjs";

// The secrets of the Worker, and how a value for each is made.
const secrets = {
  HOLDFAST_ENCRYPTION_KEYS: 'echo "1:$(openssl rand -base64 32)" | tee holdfast.key',
  HOLDFAST_ACCOUNT_KEY: "openssl rand -hex 32",
  HOLDFAST_SECRET_KEY_PROD: `node -p 'require("crypto").randomUUID()'`,
};

await setUp({
  then: [
    { name: "Worker", take: build },
    { name: "Remote D1", done: databaseExists, take: createDatabase },
    { name: "Migrations of the remote D1", take: migrate },
  ],
});
const code = await start(...wrangler("deploy", ...process.argv.slice(2))).exited;
if (code !== 0) stop("Not deployed; what wrangler said is above");
await nameMissingSecrets();

async function databaseExists() {
  const { code, output, stdout } = await run(...wrangler("d1", "list", "--json"));
  if (code !== 0) {
    console.error(output.trim());
    stop('No access to Cloudflare: run "npx wrangler login" or set CLOUDFLARE_API_TOKEN');
  }
  return JSON.parse(stdout).some(({ name }) => name === "holdfast");
}

async function createDatabase() {
  await must("The remote D1 cannot be made", ...wrangler("d1", "create", "holdfast"));
}

async function migrate() {
  const apply = wrangler("d1", "migrations", "apply", "DB", "--remote");
  await must("The migrations of the remote D1 failed", ...apply);
}

async function nameMissingSecrets() {
  const { code, stdout } = await run(...wrangler("secret", "list", "--format", "json"));
  const present = new Set(code === 0 ? JSON.parse(stdout).map(({ name }) => name) : []);
  const missing = Object.entries(secrets).filter(([name]) => !present.has(name));
  if (missing.length === 0) return;
  console.log("\nThe Worker lacks secrets. Put each once; keep holdfast.key in a safe place:\n");
  for (const [name, value] of missing) {
    console.log(`  ${value} | npx wrangler secret put ${name}`);
  }
}
