// What many requests at once must not break, on real D1.
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { startHarness } from "../support/harness.mjs";

let holdfast;
let key;

beforeAll(async () => {
  holdfast = await startHarness();
});
afterAll(() => holdfast?.close());

beforeEach(async () => {
  ({ key } = await holdfast.createEnvironment());
  const body = { provider: "private-api-bearer", unique_key: "api" };
  await send("POST", "/integrations", body);
});

const send = (method, path, body) => holdfast.fetch(path, { method, key, body });

const imported = (connection_id, apiKey = "fake-key") =>
  send("POST", "/connections", {
    provider_config_key: "api",
    connection_id,
    credentials: { type: "API_KEY", apiKey },
  });

test("50 parallel creates of one id all succeed and leave one row", async () => {
  const ids = Array.from({ length: 50 }, (_, at) => `fake-key-${at}`);
  const answers = await Promise.all(ids.map((apiKey) => imported("same", apiKey)));
  expect(answers.map(({ status }) => status)).toEqual(ids.map(() => 200));
  expect(new Set(answers.map(({ json }) => json.id)).size).toBe(1);
  const { json } = await send("GET", "/connections");
  expect(json.connections).toHaveLength(1);
});

test("50 parallel merges of different metadata keys lose none", async () => {
  await imported("same");
  const names = Array.from({ length: 50 }, (_, at) => `key-${at}`);
  const answers = await Promise.all(
    names.map((name) =>
      send("PATCH", "/connections/metadata", {
        connection_id: "same",
        provider_config_key: "api",
        metadata: { [name]: { of: name } },
      }),
    ),
  );
  expect(answers.map(({ status }) => status)).toEqual(names.map(() => 200));
  const { json } = await send("GET", "/connections/same?provider_config_key=api");
  expect(Object.keys(json.metadata).sort()).toEqual([...names].sort());
});

test("pages by cursor stay stable while connections are added", async () => {
  for (const at of [1, 2, 3, 4, 5]) await imported(`c-${at}`);
  const first = (await send("GET", "/connections?limit=2")).json;
  await imported("c-6");
  const second = (await send("GET", `/connections?limit=2&cursor=${first.next_cursor}`)).json;
  const third = (await send("GET", `/connections?limit=2&cursor=${second.next_cursor}`)).json;
  const ids = [first, second, third].map(({ connections }) =>
    connections.map((it) => it.connection_id),
  );
  expect(ids).toEqual([["c-5", "c-4"], ["c-3", "c-2"], ["c-1"]]);
  expect(third.next_cursor).toBe(null);
});
