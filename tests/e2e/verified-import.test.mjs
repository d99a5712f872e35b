// Verified imports against a real OAuth server that rotates refresh tokens and revokes on reuse.
import { afterAll, beforeAll, expect, test } from "vitest";
import { keys, startHarness } from "../support/harness.mjs";
import { clients, startOAuthServer } from "../support/oauth-server.mjs";

let holdfast;
let oauth;
let key;

beforeAll(async () => {
  holdfast = await startHarness();
  oauth = await startOAuthServer();
  const defined = await holdfast.fetch("/providers/local-oauth", {
    method: "PUT",
    key: keys.account,
    body: {
      display_name: "Local",
      auth_mode: "OAUTH2",
      docs: "https://example.com/docs",
      token_url: `${oauth.url}/token`,
      token_request_auth_method: "basic",
    },
  });
  expect(defined.status, defined.text).toBe(200);
  ({ key } = await holdfast.createEnvironment());
  const { client_id, client_secret } = clients.basic;
  const credentials = { type: "OAUTH2", client_id, client_secret };
  await post("/integrations", { provider: "local-oauth", unique_key: "it", credentials });
});
afterAll(async () => {
  await holdfast?.close();
  await oauth?.close();
});

const post = (path, body) => holdfast.fetch(path, { method: "POST", key, body });

function verify(connection_id, { access_token, refresh_token }) {
  const credentials = { type: "OAUTH2", access_token, refresh_token };
  const body = { provider_config_key: "it", connection_id, credentials };
  return post("/connections?verify=refresh", body);
}

test("a verified import is refreshed once, and the grant is alive afterwards", async () => {
  const before = oauth.tokenCalls.length;
  const grant = await oauth.issueGrant({ expired: true });
  const answer = await verify("verified", grant);
  expect(answer.status, answer.text).toBe(200);
  expect(answer.headers.get("server-timing")).toBe('d1;desc="2", refresh-d1;desc="2"');
  expect(oauth.tokenCalls.length - before).toBe(1);

  const { access_token, refresh_token } = answer.json.credentials;
  expect(refresh_token).not.toBe(grant.refresh_token);
  expect(await oauth.isActive(access_token)).toBe(true);

  const forced = await holdfast.fetch(
    "/connections/verified?provider_config_key=it&force_refresh=true",
    { key },
  );
  expect(forced.status, forced.text).toBe(200);
  expect(await oauth.isActive(forced.json.credentials.access_token)).toBe(true);
});

test("a grant that another connection holds is refused, and its provider is not asked", async () => {
  const held = await verify("held", await oauth.issueGrant({ expired: true }));
  const before = oauth.tokenCalls.length;
  const answer = await verify("second", held.json.credentials);
  expect(answer.status, answer.text).toBe(409);
  expect(answer.json.error).toMatchObject({
    code: "duplicate_grant",
    payload: { connection_id: "held" },
  });
  expect(oauth.tokenCalls.length).toBe(before);
});

test("an import whose grant is dead is refused and not stored", async () => {
  const answer = await verify("dead", { access_token: "fake", refresh_token: "fake-dead" });
  expect(answer.status, answer.text).toBe(400);
  expect(answer.json.error).toMatchObject({
    code: "connection_test_failed",
    payload: { outcome: "invalid_grant", status: 400 },
  });
  const read = await holdfast.fetch("/connections/dead?provider_config_key=it", { key });
  expect(read.status).toBe(404);
});
