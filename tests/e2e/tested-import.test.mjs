// Imports whose API key is tested at its provider before it is stored.
import { rmSync } from "node:fs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { keys, secrets, startHarness } from "../support/harness.mjs";
import { startProvider } from "../support/provider.mjs";
import { startService, stateFolder } from "../support/service-process.mjs";

let holdfast;
let provider;
let key;

beforeAll(async () => {
  holdfast = await startHarness();
  provider = await startProvider();
  ({ key } = await holdfast.createEnvironment());
  for (const [name, verification] of [
    ["local-get", { endpoints: ["/me"] }],
    ["local-post", { endpoints: ["/me"], method: "POST", data: { key: "${apiKey}" } }],
  ]) {
    const defined = await holdfast.fetch(`/providers/${name}`, {
      method: "PUT",
      key: keys.account,
      body: entry(verification),
    });
    expect(defined.status, defined.text).toBe(200);
    await post("/integrations", { provider: name, unique_key: name });
  }
});
afterAll(async () => {
  await holdfast?.close();
  await provider?.close();
});

const post = (path, body) => holdfast.fetch(path, { method: "POST", key, body });

const entry = (verification) => ({
  display_name: "Local",
  auth_mode: "API_KEY",
  docs: "https://example.com/docs",
  proxy: { base_url: provider.url, headers: { "X-Api-Key": "${apiKey}" }, verification },
});

const connection = (provider_config_key, connection_id) => ({
  provider_config_key,
  connection_id,
  credentials: { type: "API_KEY", apiKey: "fake-api-key" },
});

const importKey = (...names) => post("/connections", connection(...names));

test("a key that the provider accepts is stored, in two round trips", async () => {
  provider.respond({ status: 204 });
  const answer = await importKey("local-get", "good");
  expect(answer.status, answer.text).toBe(200);
  expect(answer.headers.get("server-timing")).toBe('d1;desc="2"');
  expect(provider.calls.at(-1)).toMatchObject({
    method: "GET",
    path: "/me",
    body: "",
    headers: { "x-api-key": "fake-api-key", "user-agent": "holdfast" },
  });
});

test("a test may be a POST with a body", async () => {
  provider.respond({ status: 200, body: {} });
  const answer = await importKey("local-post", "posted");
  expect(answer.status, answer.text).toBe(200);
  const { method, body } = provider.calls.at(-1);
  expect(method).toBe("POST");
  expect(JSON.parse(body)).toEqual({ key: "fake-api-key" });
});

test("a key that the provider refuses is not stored", async () => {
  provider.respond({ status: 401, body: { message: "fake-api-key is unknown" } });
  const answer = await importKey("local-get", "bad");
  expect(answer.status, answer.text).toBe(400);
  expect(answer.json.error).toMatchObject({
    code: "connection_test_failed",
    payload: { outcome: "rejected", status: 401, error: "*** is unknown" },
  });
  const read = await holdfast.fetch("/connections/bad?provider_config_key=local-get", { key });
  expect(read.status).toBe(404);
});

// The network of the harness follows redirects by itself, so this needs a service of its own.
test("a redirect is not followed and says nothing of the key", async () => {
  provider.respond(({ path }) =>
    path === "/me" ? { status: 302, headers: { Location: "/login" } } : { status: 200 },
  );
  const state = stateFolder();
  const service = await startService(state, secrets);
  const send = async (method, path, key, body) => {
    const headers = { authorization: `Bearer ${key}`, "content-type": "application/json" };
    const options = { method, headers, body: JSON.stringify(body) };
    const response = await fetch(`${service.url}${path}`, options);
    return { status: response.status, json: await response.json() };
  };
  try {
    await send("PUT", "/providers/local", keys.account, entry({ endpoints: ["/me"] }));
    await send("POST", "/integrations", keys.dev, { provider: "local", unique_key: "local" });
    const before = provider.calls.length;
    const answer = await send("POST", "/connections", keys.dev, connection("local", "redirected"));
    expect(answer.status).toBe(502);
    expect(answer.json.error.payload).toMatchObject({ outcome: "malformed", status: 302 });
    expect(provider.calls.slice(before).map(({ path }) => path)).toEqual(["/me"]);
  } finally {
    await service.kill();
    rmSync(state, { recursive: true });
  }
});
