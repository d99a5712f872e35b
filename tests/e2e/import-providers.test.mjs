// `npm run providers:import`: a whole catalogue against the Worker, and what becomes of single
// entries and answers against a stand-in that records what it is sent.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { path } from "../../scripts/project.mjs";
import { run } from "../../scripts/run.mjs";
import { keys, startHarness } from "../support/harness.mjs";

// Test input and nothing else: no part of it may be in this project.
const published = createRequire(import.meta.url).resolve("@nangohq/providers/providers.yaml");
const PUBLISHED = 1013;
// Which of its entries are refused, and why that is right.
const refused = JSON.parse(readFileSync(path("tests/e2e/refused-providers.json"), "utf8"));

let folder;
beforeAll(() => (folder = mkdtempSync(join(tmpdir(), "holdfast-catalogue-"))));
afterAll(() => rmSync(folder, { recursive: true }));

/** Runs the script: `{ code, output, report }`, without a report if it wrote none. */
async function importProviders(url, file, ...options) {
  const report = join(folder, "report.json");
  rmSync(report, { force: true });
  const script = path("scripts", "import-providers.mjs");
  const args = [script, file, "--url", url, "--report", report, ...options];
  const env = { HOLDFAST_ACCOUNT_KEY: keys.account };
  const { code, output } = await run(process.execPath, args, { env });
  try {
    return { code, output, report: JSON.parse(readFileSync(report, "utf8")) };
  } catch {
    return { code, output };
  }
}

test("a published catalogue loads but for a listed few", async () => {
  const holdfast = await startHarness();
  try {
    const { DB } = await holdfast.worker.getEnv();
    const stored = () => DB.prepare("select count(*) as count from provider").first("count");

    const skipped = Object.keys(refused);
    const few = ["--only", ["github", "salesforce", ...skipped].join(",")];
    const dry = await importProviders(holdfast.url, published, "--dry-run", ...few);
    expect(dry.report.loaded.toSorted()).toEqual(["github", "salesforce"]);
    expect(dry.report.skipped.map(({ name }) => name)).toEqual(skipped);
    expect(await stored()).toBe(0);

    const { code, report } = await importProviders(holdfast.url, published, "--allow-skipped");
    expect(report.failed).toEqual([]);
    expect(report.skipped).toEqual(dry.report.skipped);
    expect(report.loaded.length).toBe(PUBLISHED - skipped.length);
    expect(code).toBe(0);
    expect(await stored()).toBe(report.loaded.length);
  } finally {
    await holdfast.close();
  }
}, 60_000);

// A stand-in: records what it is sent, and answers with the next of `answers`, or with 200.
let deployment;
beforeEach(async () => {
  const puts = [];
  const answers = [];
  const server = createServer(async (request, response) => {
    let body = "";
    for await (const chunk of request.setEncoding("utf8")) body += chunk;
    const { method, url, headers } = request;
    puts.push({ to: `${method} ${url}`, key: headers.authorization, entry: JSON.parse(body) });
    const { status = 200, retryAfter, error } = answers.shift() ?? {};
    response.writeHead(status, retryAfter === undefined ? {} : { "Retry-After": retryAfter });
    response.end(JSON.stringify({ error }));
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  deployment = { url: `http://127.0.0.1:${server.address().port}`, puts, answers, server };
});
afterEach(() => deployment.server.close());

/** Imports a catalogue of our own into the stand-in. */
function load(yaml, ...options) {
  const file = join(folder, "providers.yaml");
  writeFileSync(file, yaml);
  return importProviders(deployment.url, file, ...options);
}

const sent = () => Object.fromEntries(deployment.puts.map(({ to, entry }) => [to, entry]));
const issues = [{ code: "invalid_format", message: "Invalid URL", path: ["proxy", "base_url"] }];
const refusal = { status: 400, error: { code: "invalid_body", errors: issues } };
const inOrder = ["--concurrency", "1"];

test("an entry is put under its name, and in a dry run only to be checked", async () => {
  await load("acme: { display_name: Acme }");
  await load("acme: { display_name: Acme }", "--dry-run");
  const put = { key: `Bearer ${keys.account}`, entry: { display_name: "Acme" } };
  expect(deployment.puts).toEqual([
    { to: "PUT /providers/acme", ...put },
    { to: "PUT /providers/acme?dry_run=true", ...put },
  ]);
});

test("an alias has every field of the other, and its own over them as a whole", async () => {
  await load(`
    grandchild: { alias: child, docs: https://d.example }
    child: { alias: parent, proxy: { headers: { a: b } } }
    parent: { auth_mode: NONE, proxy: { base_url: https://p.example } }
  `);
  expect(sent()["PUT /providers/grandchild"]).toEqual({
    alias: "child",
    auth_mode: "NONE",
    docs: "https://d.example",
    proxy: { headers: { a: "b" } },
  });
});

test("entries that our catalogue has are left out on request", async () => {
  const { report } = await load("github: {}\nacme: {}\ntoast: {}", "--new");
  expect(report.loaded).toEqual(["acme"]);
});

test("aliases that lead nowhere or in a circle are skipped with the reason", async () => {
  const { code, output, report } = await load(`
    lost: { alias: gone }
    one: { alias: two }
    two: { alias: one }
    good: { auth_mode: NONE }
  `);
  expect(report.loaded).toEqual(["good"]);
  expect(report.skipped.map(({ name, issues }) => [name, issues[0].message])).toEqual([
    ["lost", 'There is no provider "gone"'],
    ["one", "A circle: one → two → one"],
    ["two", "A circle: two → one → two"],
  ]);
  expect(output).toContain('lost is skipped:\n  alias: There is no provider "gone"');
  expect(code).toBe(1);
});

test("a refusal is told with its reasons, and ends well only where that is allowed", async () => {
  const yaml = "bad: { docs: x }\ngood: { docs: y }";
  deployment.answers.push(refusal);
  const strict = await load(yaml, ...inOrder);
  deployment.answers.push(refusal);
  const lenient = await load(yaml, ...inOrder, "--allow-skipped");
  for (const { report, output } of [strict, lenient]) {
    expect(report.skipped).toEqual([{ name: "bad", issues }]);
    expect(report.loaded).toEqual(["good"]);
    expect(output).toContain("bad is skipped:\n  proxy.base_url: Invalid URL");
    expect(output).toContain("1 loaded, 1 skipped, 0 failed");
  }
  expect([strict.code, lenient.code]).toEqual([1, 0]);
});

test("who names a time is asked again then, and who does not has failed", async () => {
  deployment.answers.push({ status: 429, retryAfter: "0" }, { status: 503, retryAfter: "0" });
  expect((await load("acme: {}")).report.loaded).toEqual(["acme"]);
  expect(deployment.puts.length).toBe(3);

  const error = { code: "server_error", message: "broken" };
  deployment.answers.push({ status: 503, error }, { status: 500, retryAfter: "0", error });
  const { code, report } = await load("one: {}\ntwo: {}", ...inOrder, "--allow-skipped");
  expect(report.failed).toEqual([
    { name: "one", reason: "answered with 503 broken" },
    { name: "two", reason: "answered with 500 broken" },
  ]);
  expect(deployment.puts.length).toBe(5);
  expect(code).toBe(1);
});

test("a key that is not accepted ends the import at once", async () => {
  deployment.answers.push({ status: 401, error: { message: "Authentication failed." } });
  const { code, output, report } = await load("one: {}\ntwo: {}", ...inOrder);
  expect(output).toContain(`${deployment.url}: answered with 401 Authentication failed.`);
  expect(deployment.puts.length).toBe(1);
  expect(report).toBeUndefined();
  expect(code).toBe(1);
});

test("no account key is sent without TLS to another machine", async () => {
  const { code, output } = await importProviders("http://holdfast.example", published);
  expect(output).toContain("--url must be https");
  expect(code).toBe(1);
});

test("only the named providers are loaded, and a name that is not there is told", async () => {
  const yaml = "one: {}\ntwo: { alias: one }\nthree: {}";
  expect((await load(yaml, "--only", "two,three")).report.loaded).toEqual(["two", "three"]);
  expect((await load(yaml, "--only", "four")).output).toContain("has no provider four");
});

test("a file that is no catalogue is refused with the line, and nothing is sent", async () => {
  expect((await load("a: {}\na: {}")).output).toContain("Map keys must be unique at line 2");
  expect((await load("- a")).output).toContain("It is no map of providers");
  expect(deployment.puts).toEqual([]);
});
