// What is asked of a service that runs as a process of its own.
import { keys } from "./harness.mjs";
import { expiredCredentials, providerEntry } from "./rotating-provider.mjs";

/** Sets up an integration whose provider is at `providerUrl`, and imports grants by their names. */
export async function importGrants(url, providerUrl, grants) {
  const entry = { ...providerEntry(providerUrl), rotation: "reuse_revokes" };
  await succeed(url, "PUT", "/providers/scripted", keys.account, entry);
  await succeed(url, "POST", "/integrations", keys.dev, {
    provider: "scripted",
    unique_key: "it",
    credentials: { type: "OAUTH2", client_id: "fake-client", client_secret: "fake-secret" },
  });
  for (const [connection_id, grant] of grants) {
    await succeed(url, "POST", "/connections", keys.dev, {
      provider_config_key: "it",
      connection_id,
      credentials: { type: "OAUTH2", ...expiredCredentials(grant) },
    });
  }
}

async function succeed(url, method, path, key, body) {
  const headers = { Authorization: `Bearer ${key}`, "Content-Type": "application/json" };
  const response = await fetch(url + path, { method, headers, body: JSON.stringify(body) });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
  return JSON.parse(text);
}

const address = (name, query) => `/connections/${name}?provider_config_key=it${query}`;

/** Reads the connection `name`; `query` begins with `&`. */
export async function ask(url, name, query, signal) {
  const headers = { Authorization: `Bearer ${keys.dev}` };
  const response = await fetch(url + address(name, query), { headers, signal });
  return { ok: response.ok, body: await response.text() };
}

/** The tokens after a forced refresh of the connection `name`; none of them if it failed. */
export async function force(url, name) {
  const { ok, body } = await ask(url, name, "&force_refresh=true&refresh_token=true");
  return ok ? JSON.parse(body).credentials : {};
}
