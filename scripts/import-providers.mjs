// Loads a catalogue in the format of Nango's `providers.yaml` into a deployment, as its custom
// providers: `npm run providers:import -- FILE.yaml`. docs/providers.md describes the options.
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { devVars, path } from "./project.mjs";
import { upload, UploadError } from "./provider-upload.mjs";
import { stop } from "./run.mjs";
import { nodePackages } from "./setup.mjs";
import { takeSteps } from "./steps.mjs";

const BAR_CHARS = 30;

const USAGE = `npm run providers:import -- FILE.yaml [options]

  --url URL          the deployment; http://127.0.0.1:8787 if absent
  --key KEY          the account key, better in HOLDFAST_ACCOUNT_KEY
  --dry-run          have every entry checked and store none
  --new              only entries that our catalogue does not have
  --only NAME,NAME   these entries alone
  --allow-skipped    exit code 0 although entries were refused
  --report FILE      write what became of each entry as JSON
  --concurrency N    how many entries are sent at a time; 8 if absent

docs/providers.md tells more.`;

const options = readOptions();
if (!nodePackages.done()) await takeSteps([nodePackages]);
const providers = await readProviders();
const outcomes = new Map();
const title = `${options.isDryRun ? "Check with" : "Load into"} ${options.url}`;
await takeSteps([{ name: title, take: uploadAll }]).catch((error) => {
  if (!(error instanceof UploadError)) throw error;
  stop(`${error.message}\nEnded after ${outcomes.size} of ${providers.length}`);
});
const report = summary();
if (options.report) writeFileSync(options.report, `${JSON.stringify(report, undefined, 2)}\n`);
tell(report);
const isGood = report.failed.length === 0 && (options.allowsSkipped || report.skipped.length === 0);
process.exitCode = isGood ? 0 : 1;

function readOptions() {
  const { values, positionals } = readArguments();
  if (values.help) {
    console.log(USAGE);
    process.exit();
  }
  if (positionals.length !== 1) stop("Name a catalogue: npm run providers:import -- FILE.yaml");
  const url = parsedUrl(values.url) ?? stop(`--url ${values.url} is no http or https URL`);
  const isLocal = ["127.0.0.1", "localhost"].includes(url.hostname);
  // The account key may write every provider, so nobody on the way may read it.
  if (!isLocal && url.protocol !== "https:") stop("--url must be https, for the account key's sake");
  const local = isLocal ? devVars().HOLDFAST_ACCOUNT_KEY : undefined;
  const key = values.key ?? process.env.HOLDFAST_ACCOUNT_KEY ?? local;
  if (!key) stop("The account key is missing: put it into HOLDFAST_ACCOUNT_KEY");
  const concurrency = Number(values.concurrency);
  if (!(concurrency >= 1)) stop(`--concurrency ${values.concurrency} is no number from 1`);
  return {
    allowsSkipped: values["allow-skipped"],
    concurrency,
    file: positionals[0],
    isDryRun: values["dry-run"],
    isNewOnly: values.new,
    key,
    only: values.only?.split(","),
    report: values.report,
    url: url.href.replace(/\/$/, ""),
  };
}

function readArguments() {
  try {
    return parseArgs({
      allowPositionals: true,
      options: {
        "allow-skipped": { type: "boolean", default: false },
        concurrency: { type: "string", default: "8" },
        "dry-run": { type: "boolean", default: false },
        help: { type: "boolean", short: "h", default: false },
        key: { type: "string" },
        new: { type: "boolean", default: false },
        only: { type: "string" },
        report: { type: "string" },
        url: { type: "string", default: "http://127.0.0.1:8787" },
      },
    });
  } catch ({ message }) {
    return stop(message);
  }
}

function parsedUrl(text) {
  try {
    const url = new URL(text);
    return /^https?:$/.test(url.protocol) ? url : undefined;
  } catch {
    return undefined;
  }
}

async function readProviders() {
  const { file, only } = options;
  // It needs a package, which may have been installed just now.
  const { readCatalogue } = await import("./catalogue.mjs");
  const { providers, mistakes } = readCatalogue(textOf(file));
  if (mistakes.length > 0) stop(`${file} is no catalogue:\n${mistakes.join("\n")}`);
  const names = providers.map(({ name }) => name);
  const unknown = only?.filter((name) => !names.includes(name)) ?? [];
  if (unknown.length > 0) stop(`${file} has no provider ${unknown.join(", ")}`);
  const ours = options.isNewOnly ? namesOfOurs() : new Set();
  return providers.filter(({ name }) => (only?.includes(name) ?? true) && !ours.has(name));
}

// The catalogue is TOML, a table for each provider.
function namesOfOurs() {
  const files = readdirSync(path("providers")).map((file) => textOf(path("providers", file)));
  const tables = files.flatMap((text) => [...text.matchAll(/^\[([a-z0-9-]+)\]$/gm)]);
  return new Set(tables.map(([, name]) => name));
}

function textOf(file) {
  try {
    return readFileSync(file, "utf8");
  } catch ({ message }) {
    return stop(`The catalogue cannot be read: ${message}`);
  }
}

async function uploadAll(progress) {
  const waiting = providers.values();
  const work = async () => {
    for (const provider of waiting) {
      const { name, issues } = provider;
      outcomes.set(name, issues ? { skipped: issues } : await upload(provider, options));
      progress(`${bar()}${outcomes.size}/${providers.length}`);
    }
  };
  await Promise.all(Array.from({ length: options.concurrency }, work));
  return `${providers.length} providers`;
}

function bar() {
  if (!process.stdout.isTTY) return "";
  const full = Math.floor((BAR_CHARS * outcomes.size) / providers.length);
  return `${"█".repeat(full)}${"░".repeat(BAR_CHARS - full)} `;
}

// In the order of the catalogue, whichever was answered first.
function summary() {
  const all = providers.map(({ name }) => ({ name, ...outcomes.get(name) }));
  return {
    url: options.url,
    dry_run: options.isDryRun,
    loaded: all.filter(({ loaded }) => loaded).map(({ name }) => name),
    skipped: all
      .filter(({ skipped }) => skipped)
      .map(({ name, skipped: issues }) => ({ name, issues })),
    failed: all
      .filter(({ failed }) => failed)
      .map(({ name, failed: reason }) => ({ name, reason })),
  };
}

function tell({ loaded, skipped, failed }) {
  for (const { name, issues } of skipped) {
    console.log(`${name} is skipped:`);
    for (const { path, message } of issues) {
      console.log(`  ${path.length > 0 ? `${path.join(".")}: ` : ""}${message}`);
    }
  }
  for (const { name, reason } of failed) console.log(`${name} failed: ${reason}`);
  const good = options.isDryRun ? "could be loaded" : "loaded";
  console.log(`${loaded.length} ${good}, ${skipped.length} skipped, ${failed.length} failed`);
  const ours = namesOfOurs();
  const covering = loaded.filter((name) => ours.has(name)).length;
  if (covering > 0) {
    console.log(`${covering} go before entries of our catalogue; --new leaves those out`);
  }
}
