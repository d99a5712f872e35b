// What a deployment does with good and bad secrets and variables.
import { expect, test } from "vitest";
import { keys, startHarness } from "../support/harness.mjs";
import { startProvider } from "../support/provider.mjs";

async function withHarness(secrets, body) {
  const holdfast = await startHarness({ secrets });
  try {
    await body(holdfast);
  } finally {
    await holdfast.close();
  }
}

test("without a good key ring nothing is served, and the reason names no key", () =>
  withHarness({ HOLDFAST_ENCRYPTION_KEYS: "1:dG9vIHNob3J0" }, async (holdfast) => {
    expect((await holdfast.fetch("/health", { key: null })).status).toBe(200);
    for (const path of ["/ready", "/connections", "/providers"]) {
      const { status, json, text } = await holdfast.fetch(path);
      expect(status, path).toBe(503);
      expect(json.error.code).toBe("not_ready");
      expect(json.error.message).toContain("HOLDFAST_ENCRYPTION_KEYS");
      expect(text).not.toContain("dG9vIHNob3J0");
    }
  }));

test("a token URL on a private address is not called unless that is allowed", async () => {
  const provider = await startProvider();
  try {
    await withHarness({ HOLDFAST_ALLOW_PRIVATE_PROVIDERS: "false" }, async (holdfast) => {
      const send = (method, path, body, key) => holdfast.fetch(path, { method, body, key });
      const entry = {
        display_name: "Inside",
        docs: "https://example.com/docs",
        auth_mode: "OAUTH2",
        authorization_url: "https://example.com/authorize",
        token_url: `${provider.url}/token`,
      };
      expect((await send("PUT", "/providers/inside", entry, keys.account)).status).toBe(200);
      await send("POST", "/integrations", {
        provider: "inside",
        unique_key: "inside",
        credentials: { type: "OAUTH2", client_id: "fake-id", client_secret: "fake-secret" },
      });
      await send("POST", "/connections", {
        provider_config_key: "inside",
        connection_id: "c",
        credentials: {
          type: "OAUTH2",
          access_token: "fake-old",
          refresh_token: "fake-refresh",
          expires_at: "2020-01-01T00:00:00Z",
        },
      });
      const answer = await send("GET", "/connections/c?provider_config_key=inside");
      expect(answer.status).toBe(400);
      expect(answer.json.error.message).toBe("Token URL is missing or invalid.");
    });
    expect(provider.calls).toEqual([]);
  } finally {
    await provider.close();
  }
});
