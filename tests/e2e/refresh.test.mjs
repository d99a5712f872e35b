// Refreshing against a real OAuth server that rotates refresh tokens and revokes on reuse.
import { afterAll, beforeAll, expect, test } from "vitest";
import { keys, startHarness } from "../support/harness.mjs";
import { clients, startOAuthServer } from "../support/oauth-server.mjs";
import { providerEntry } from "../support/rotating-provider.mjs";

let holdfast;
let oauth;

beforeAll(async () => {
  holdfast = await startHarness();
  oauth = await startOAuthServer({ tokenDelay: 200 });
  await defineProvider("local-oauth", oauth.url);
});
afterAll(async () => {
  await holdfast?.close();
  await oauth?.close();
});

async function defineProvider(name, url, more = {}) {
  const answer = await holdfast.fetch(`/providers/${name}`, {
    method: "PUT",
    key: keys.account,
    body: { ...providerEntry(url), ...more },
  });
  expect(answer.status, answer.text).toBe(200);
}

// A fresh environment with an integration of `provider`, and how to ask for its connections.
async function integration(provider, client = clients.basic) {
  const { key } = await holdfast.createEnvironment();
  const post = (path, body) => holdfast.fetch(path, { method: "POST", key, body });
  const { client_id, client_secret } = client;
  const created = await post("/integrations", {
    provider,
    unique_key: "it",
    credentials: { type: "OAUTH2", client_id, client_secret },
  });
  expect(created.status, created.text).toBe(200);
  return {
    key,
    async importConnection(connection_id, { access_token, refresh_token, expires_at }) {
      const credentials = { type: "OAUTH2", access_token, refresh_token, expires_at };
      const body = { provider_config_key: "it", connection_id, credentials };
      const answer = await post("/connections", body);
      expect(answer.status, answer.text).toBe(200);
    },
    get: (connection_id, query = "") =>
      holdfast.fetch(`/connections/${connection_id}?provider_config_key=it${query}`, { key }),
  };
}

test("a rotated refresh token is kept, so the next refresh works too", async () => {
  const { importConnection, get } = await integration("local-oauth", clients.post);
  await defineProvider("local-oauth-post", oauth.url, {
    token_request_auth_method: undefined,
  });
  await importConnection("rotating", await oauth.issueGrant({ client: clients.post, expired: true }));
  const seen = new Set();
  for (let round = 0; round < 3; round += 1) {
    const { status, json } = await get("rotating", "&force_refresh=true&refresh_token=true");
    expect(status).toBe(200);
    seen.add(json.credentials.refresh_token);
  }
  expect(seen.size).toBe(3);
});

test("a fresh token is answered in one round trip and an expired one in three", async () => {
  const { importConnection, get } = await integration("local-oauth");
  await importConnection("timed", await oauth.issueGrant({ expired: true }));
  const timing = async () => (await get("timed")).headers.get("server-timing");
  expect(await timing()).toBe('d1;desc="1", refresh-d1;desc="2"');
  expect(await timing()).toBe('d1;desc="1"');
});
