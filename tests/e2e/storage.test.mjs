// What real D1 makes of the schema and the statements: the native tests run the same on SQLite.
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { startHarness } from "../support/harness.mjs";

const CANARY = "fake-canary-7f3a";

let holdfast;
let database;
let key;

beforeAll(async () => {
  holdfast = await startHarness();
  database = (await holdfast.worker.getEnv()).DB;
});
afterAll(() => holdfast?.close());

beforeEach(async () => {
  ({ key } = await holdfast.createEnvironment());
  await send("POST", "/integrations", { provider: "private-api-bearer", unique_key: "api" });
});

const send = (method, path, body) => holdfast.fetch(path, { method, key, body });

const imported = (connection_id, more = {}) =>
  send("POST", "/connections", {
    provider_config_key: "api",
    connection_id,
    credentials: { type: "API_KEY", apiKey: CANARY },
    ...more,
  });

test("search finds parts of ids, names and emails, in any case, and nothing after deletion", async () => {
  const end_user = { id: "u", display_name: "Ada Lovelace", email: "ada@example.com" };
  await imported("machine-42", { end_user });
  const found = async (search) =>
    (await send("GET", `/connections?search=${encodeURIComponent(search)}`)).json.connections.length;
  for (const search of ["HINE-4", "lovelace", "ada@", "a", "42"]) {
    expect(await found(search), search).toBe(1);
  }
  for (const search of ["%", "_", '"', "' or 1=1 --"]) expect(await found(search), search).toBe(0);
  await send("DELETE", "/connections/machine-42?provider_config_key=api");
  expect(await found("lovelace")).toBe(0);
});

test("tags filter by every given pair", async () => {
  await imported("a", { tags: { plan: "pro", region: "eu" } });
  await imported("b", { tags: { plan: "pro", region: "us" } });
  const { json } = await send("GET", "/connections?tags[plan]=pro&tags[region]=eu");
  expect(json.connections.map((it) => it.connection_id)).toEqual(["a"]);
});

test("metadata of every kind survives a merge", async () => {
  const metadata = { text: "ü \"quoted\" \\ \n", nothing: null, list: [1, { a: [] }], yes: true, n: 1.5 };
  await imported("m", { metadata });
  const change = { connection_id: "m", provider_config_key: "api", metadata: { "odd.\"key": false } };
  expect((await send("PATCH", "/connections/metadata", change)).status).toBe(200);
  const { json } = await send("GET", "/connections/m?provider_config_key=api");
  expect(json.metadata).toEqual({ ...metadata, "odd.\"key": false });
});

test("nothing that is sealed stands in the database in the clear", async () => {
  await imported("sealed", { connection_config: { secret: CANARY } });
  const { results: tables } = await database
    .prepare("select name from sqlite_master where type = 'table' and name not like '%_cf_%'")
    .all();
  for (const { name } of tables) {
    const { results } = await database.prepare(`select * from "${name}"`).all();
    expect(JSON.stringify(results), name).not.toContain(CANARY);
  }
});

test("a deleted connection leaves no row, no tag and no search entry", async () => {
  const { json } = await imported("gone", { tags: { plan: "pro" } });
  await send("DELETE", "/connections/gone?provider_config_key=api");
  const count = async (sql) => (await database.prepare(sql).bind(json.id).first()).n;
  expect(await count("select count(*) as n from connection where id = ?")).toBe(0);
  expect(await count("select count(*) as n from connection_tag where connection = ?")).toBe(0);
  expect(await count("select count(*) as n from connection_search where rowid = ?")).toBe(0);
});

test("the service is ready once the migrations are applied", async () => {
  const answer = await holdfast.fetch("/ready", { key: null });
  expect(answer).toMatchObject({ status: 200, json: { result: "ready" } });
});

test("no secret stands in the logs", async () => {
  await imported("logged");
  await send("GET", "/connections/logged?provider_config_key=api");
  await send("GET", "/connections/logged?provider_config_key=api&force_refresh=nonsense");
  const logs = holdfast.logs().join("\n");
  expect(logs).toContain("GetConnection");
  expect(logs).not.toContain(CANARY);
  expect(logs).not.toContain(key);
});
