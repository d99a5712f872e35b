// Refreshing against a real OAuth server that rotates refresh tokens and revokes on reuse.
import { afterAll, beforeAll, expect, test } from "vitest";
import { keys, startHarness } from "../support/harness.mjs";
import { clients, startOAuthServer } from "../support/oauth-server.mjs";
import { startProvider } from "../support/provider.mjs";

let holdfast;
let oauth;

beforeAll(async () => {
  holdfast = await startHarness();
  oauth = await startOAuthServer({ tokenDelay: 200 });
  await defineProvider("local-oauth", `${oauth.url}/token`);
});
afterAll(async () => {
  await holdfast?.close();
  await oauth?.close();
});

async function defineProvider(name, token_url, more = {}) {
  const answer = await holdfast.fetch(`/providers/${name}`, {
    method: "PUT",
    key: keys.account,
    body: {
      display_name: name,
      auth_mode: "OAUTH2",
      docs: "https://example.com/docs",
      authorization_url: "https://example.com/authorize",
      token_url,
      token_request_auth_method: "basic",
      ...more,
    },
  });
  expect(answer.status, answer.text).toBe(200);
}

// Credentials that ended long ago and can be refreshed.
const expired = {
  access_token: "fake-old",
  refresh_token: "fake-refresh",
  expires_at: "2020-01-01T00:00:00Z",
};

// An answer that waits until it is let out: `asked` resolves when the provider was called.
function gated(body) {
  const asked = Promise.withResolvers();
  const opened = Promise.withResolvers();
  const respond = async () => {
    asked.resolve();
    await opened.promise;
    return { body };
  };
  return { respond, asked: asked.promise, open: opened.resolve };
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

test("100 parallel readers of an expired token make one token call and all get the new one", async () => {
  const { importConnection, get } = await integration("local-oauth");
  await importConnection("shared", await oauth.issueGrant({ expired: true }));
  const before = oauth.tokenCalls.length;

  const answers = await Promise.all(Array.from({ length: 100 }, () => get("shared")));

  expect(oauth.tokenCalls.length - before).toBe(1);
  const tokens = new Set(answers.map(({ json }) => json.credentials.access_token));
  expect(tokens.size).toBe(1);
  expect(await oauth.isActive([...tokens][0])).toBe(true);
});

test("a rotated refresh token is kept, so the next refresh works too", async () => {
  const { importConnection, get } = await integration("local-oauth", clients.post);
  await defineProvider("local-oauth-post", `${oauth.url}/token`, {
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

test("a provider that refuses leaves the credentials as they are and is not asked again at once", async () => {
  const provider = await startProvider();
  try {
    provider.respond({ status: 500, body: { error: "server_error" } });
    await defineProvider("refusing", `${provider.url}/token`);
    const { importConnection, get } = await integration("refusing");
    await importConnection("kept", expired);
    const first = await get("kept");
    expect(first.status).toBe(400);
    expect(first.json.error).toMatchObject({
      code: "invalid_credentials",
      payload: { connection: { connection_id: "kept", credentials: {} } },
    });
    expect((await get("kept")).status).toBe(424);
    expect(provider.calls).toHaveLength(1);

    provider.respond({ body: { access_token: "fake-new", expires_in: 3600 } });
    const forced = await get("kept", "&force_refresh=true&refresh_token=true");
    expect(forced.json.credentials).toMatchObject({
      access_token: "fake-new",
      refresh_token: "fake-refresh",
    });
  } finally {
    await provider.close();
  }
});

test("a redirect of the token endpoint is not followed", async () => {
  const provider = await startProvider();
  try {
    provider.respond(({ path }) =>
      path === "/token"
        ? { status: 302, headers: { location: `${provider.url}/elsewhere` } }
        : { body: { access_token: "fake-stolen" } },
    );
    await defineProvider("redirecting", `${provider.url}/token`);
    const { importConnection, get } = await integration("redirecting");
    await importConnection("firm", expired);
    expect((await get("firm")).status).toBe(400);
    expect(provider.calls.map(({ path }) => path)).toEqual(["/token"]);
  } finally {
    await provider.close();
  }
});

test("an answer of 100 MB is cut off, and the credentials stay", async () => {
  const provider = await startProvider();
  try {
    provider.respond(() => ({ body: "x".repeat(100_000_000) }));
    await defineProvider("flooding", `${provider.url}/token`);
    const { importConnection, get } = await integration("flooding");
    await importConnection("dry", expired);
    expect((await get("dry")).status).toBe(400);
    expect((await get("dry")).json.error.payload.connection.connection_id).toBe("dry");
  } finally {
    await provider.close();
  }
});

test("callers that hang up in the middle of a refresh do not lose its result", async () => {
  const provider = await startProvider();
  try {
    const gate = gated({ access_token: "fake-new", refresh_token: "fake-2", expires_in: 3600 });
    provider.respond(gate.respond);
    await defineProvider("impatient", `${provider.url}/token`);
    const { key, importConnection, get } = await integration("impatient");
    await importConnection("saved", expired);

    const callers = new AbortController();
    const url = `${holdfast.url}/connections/saved?provider_config_key=it`;
    const headers = { Authorization: `Bearer ${key}` };
    const reads = [1, 2, 3].map(() => fetch(url, { headers, signal: callers.signal }));
    await gate.asked;
    callers.abort();
    await Promise.allSettled(reads);
    gate.open();

    const { json } = await get("saved", "&refresh_token=true");
    expect(json.credentials).toMatchObject({ access_token: "fake-new", refresh_token: "fake-2" });
    expect(provider.calls).toHaveLength(1);
  } finally {
    await provider.close();
  }
});

test("a provider that never answers is given up, and the token that still works is served", async () => {
  const provider = await startProvider();
  try {
    provider.respond("hang");
    await defineProvider("hanging", `${provider.url}/token`);
    const { importConnection, get } = await integration("hanging");
    const inFiveMinutes = new Date(Date.now() + 300_000).toISOString();
    await importConnection("alive", { ...expired, expires_at: inFiveMinutes });
    for (let read = 0; read < 2; read += 1) {
      expect((await get("alive")).json.credentials.access_token).toBe("fake-old");
    }
    expect(provider.calls).toHaveLength(1);
  } finally {
    await provider.close();
  }
});

test("a connection deleted while it is refreshed stays deleted", async () => {
  const provider = await startProvider();
  try {
    const gate = gated({ access_token: "fake-new", refresh_token: "fake-2", expires_in: 3600 });
    provider.respond(gate.respond);
    await defineProvider("slow", `${provider.url}/token`);
    const { key, importConnection, get } = await integration("slow");
    await importConnection("doomed", expired);
    const reader = get("doomed");
    await gate.asked;
    const deletion = await holdfast.fetch("/connections/doomed?provider_config_key=it", {
      method: "DELETE",
      key,
    });
    expect(deletion.json).toEqual({ success: true });
    gate.open();
    expect((await reader).status).toBe(404);
    expect((await get("doomed")).status).toBe(404);
  } finally {
    await provider.close();
  }
});
