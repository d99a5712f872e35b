// A real OAuth 2 server on loopback (npm oidc-provider): rotates refresh tokens, revokes on reuse,
// and keeps a record of every token call. What it stores dies with it.
import { generateKeyPairSync, randomBytes } from "node:crypto";
import { EventEmitter, once } from "node:events";
import { createServer } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { Provider } from "oidc-provider";

const ACCOUNT = "demo-account";
const SCOPE = "openid offline_access";

/** Two confidential clients, one for each way to authenticate. Their secrets are no secrets. */
export const clients = {
  basic: {
    client_id: "holdfast-basic",
    client_secret: "not-a-secret-basic",
    token_endpoint_auth_method: "client_secret_basic",
  },
  post: {
    client_id: "holdfast-post",
    client_secret: "not-a-secret-post",
    token_endpoint_auth_method: "client_secret_post",
  },
};

/**
 * Starts a server and resolves to `{ url, tokenCalls, onTokenCall, issueGrant, isActive, close }`.
 *
 * - `accessTokenTtl`: seconds that an access token lives, at least 1.
 * - `tokenDelay`: milliseconds that a token call takes at least.
 */
export async function startOAuthServer({ port = 0, accessTokenTtl = 60, tokenDelay = 0 } = {}) {
  const http = createServer();
  http.listen(port, "127.0.0.1");
  await once(http, "listening");
  const url = `http://127.0.0.1:${http.address().port}`;

  const provider = new Provider(url, configuration(accessTokenTtl));
  const tokenCalls = [];
  const answered = new EventEmitter();
  provider.use(recordTokenCalls(tokenCalls, answered, tokenDelay));
  http.on("request", provider.callback());

  return {
    url,
    /** Every token call so far: `{ at, authorization, request, status, answer }`. */
    tokenCalls,

    /** Calls `listener` with every token call that is answered from now on. */
    onTokenCall: (listener) => answered.on("call", listener),

    /**
     * A grant as if its user had just consented: `{ access_token, refresh_token, expires_at }`.
     * With `expired`, the access token is already dead and only the refresh token works.
     */
    async issueGrant({ client = clients.basic, expired = false } = {}) {
      const grant = new provider.Grant({ accountId: ACCOUNT, clientId: client.client_id });
      grant.addOIDCScope(SCOPE);
      const common = {
        accountId: ACCOUNT,
        client: await provider.Client.find(client.client_id),
        grantId: await grant.save(),
        gty: "authorization_code",
        scope: SCOPE,
      };
      const accessToken = new provider.AccessToken(common);
      const access_token = await accessToken.save();
      const refresh_token = await new provider.RefreshToken(common).save();
      if (expired) await accessToken.destroy();
      const lifetime = expired ? -3600 : accessTokenTtl;
      const expires_at = new Date(Date.now() + lifetime * 1000).toISOString();
      return { access_token, refresh_token, expires_at };
    },

    /** Whether the server still honours `accessToken`. */
    async isActive(accessToken) {
      return Boolean((await provider.AccessToken.find(accessToken))?.isValid);
    },

    async close() {
      http.closeAllConnections();
      http.close();
      await once(http, "close");
    },
  };
}

function configuration(accessTokenTtl) {
  const store = new Map();
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  return {
    adapter: (model) => new MemoryAdapter(model, store),
    clients: Object.values(clients).map((client) => ({
      ...client,
      application_type: "native", // The kind that may redirect to loopback over plain HTTP.
      grant_types: ["authorization_code", "refresh_token"],
      redirect_uris: ["http://127.0.0.1/oauth/callback"],
      response_types: ["code"],
    })),
    cookies: { keys: [randomBytes(32).toString("hex")] },
    features: { devInteractions: { enabled: false }, revocation: { enabled: true } },
    findAccount: (_context, sub) => ({ accountId: sub, claims: () => ({ sub }) }),
    jwks: { keys: [{ ...privateKey.export({ format: "jwk" }), alg: "RS256", use: "sig" }] },
    rotateRefreshToken: true,
    ttl: { AccessToken: accessTokenTtl, Grant: DAYS_14, IdToken: 3600, RefreshToken: DAYS_14 },
  };
}

const DAYS_14 = 14 * 24 * 3600;

function recordTokenCalls(tokenCalls, answered, tokenDelay) {
  return async (context, next) => {
    if (context.path !== "/token") return next();
    const call = { at: Date.now(), authorization: context.get("authorization") || null };
    tokenCalls.push(call);
    if (tokenDelay > 0) await sleep(tokenDelay);
    await next();
    call.request = { ...context.oidc?.body };
    call.status = context.status;
    call.answer = context.body;
    answered.emit("call", call);
  };
}

// The package's own adapter forgets the oldest of 1,000 entries, and with them what was reused.
class MemoryAdapter {
  constructor(model, store) {
    this.store = store;
    this.key = (id) => `${model}:${id}`;
  }

  async upsert(id, payload) {
    this.store.set(this.key(id), payload);
  }

  async find(id) {
    return this.store.get(this.key(id));
  }

  async findByUid(uid) {
    return [...this.store.values()].find((payload) => payload.uid === uid);
  }

  async consume(id) {
    this.store.get(this.key(id)).consumed = Math.floor(Date.now() / 1000);
  }

  async destroy(id) {
    this.store.delete(this.key(id));
  }

  async revokeByGrantId(grantId) {
    for (const [key, payload] of this.store) {
      if (payload.grantId === grantId) this.store.delete(key);
    }
  }
}
