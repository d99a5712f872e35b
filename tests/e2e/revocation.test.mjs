// Revoking at a provider on loopback: a whole integration against real D1 and real objects.
import { afterAll, beforeAll, expect, test } from "vitest";
import { keys, startHarness } from "../support/harness.mjs";
import { startProvider } from "../support/provider.mjs";

let holdfast;
let provider;

beforeAll(async () => {
  holdfast = await startHarness();
  provider = await startProvider();
});
afterAll(async () => {
  await holdfast?.close();
  await provider?.close();
});

// An integration `it` in a fresh environment, whose connections are called c1, c2, …
async function integration(name, connections, entry = {}) {
  const defined = await holdfast.fetch(`/providers/${name}`, {
    method: "PUT",
    key: keys.account,
    body: {
      display_name: name,
      auth_mode: "OAUTH2",
      docs: "https://example.com/docs",
      token_url: `${provider.url}/token`,
      revocation_url: `${provider.url}/revoke`,
      ...entry,
    },
  });
  expect(defined.status, defined.text).toBe(200);
  const { key } = await holdfast.createEnvironment();
  const send = (method, path, body) => holdfast.fetch(path, { method, key, body });
  const client = { type: "OAUTH2", client_id: "fake-client", client_secret: "fake-secret" };
  await send("POST", "/integrations", { provider: name, unique_key: "it", credentials: client });
  for (let n = 1; n <= connections; n++) {
    const credentials = { type: "OAUTH2", access_token: "fake", refresh_token: `fake-${n}` };
    const body = { provider_config_key: "it", connection_id: `c${n}`, credentials };
    const imported = await send("POST", "/connections", body);
    expect(imported.status, imported.text).toBe(200);
  }
  provider.calls.length = 0;
  return send;
}

test("every connection of an integration is revoked and deleted, batch by batch", async () => {
  const send = await integration("revoking", 23);
  provider.respond({ status: 200 });
  const batches = [];
  do {
    const answer = await send("POST", "/integrations/it/revoke-all");
    expect(answer.status, answer.text).toBe(200);
    batches.push(answer.json.data);
  } while (batches.at(-1).remaining > 0);
  expect(batches.map(({ revoked, remaining }) => [revoked, remaining])).toEqual([
    [20, 3],
    [3, 0],
  ]);
  const tokens = provider.calls.map(({ form }) => form.token).sort();
  expect(tokens).toEqual(Array.from({ length: 23 }, (_, n) => `fake-${n + 1}`).sort());
  const { json } = await send("GET", "/connections");
  expect(json.connections).toEqual([]);
});

test("a provider that hangs is given up, and the connection is deleted", async () => {
  const send = await integration("hanging", 1, { token_request_timeout: 1 });
  provider.respond("hang");
  const answer = await send("DELETE", "/connections/c1?provider_config_key=it&revoke=true");
  expect(answer.json).toEqual({ success: true, revocation: { outcome: "failed" } });
  expect(provider.calls.length).toBe(1);
  const { json } = await send("GET", "/connections");
  expect(json.connections).toEqual([]);
});
