// A provider that keeps grants: it rotates refresh tokens, and does what real ones do when an old
// one comes back. It counts what must never happen.
import { randomUUID } from "node:crypto";
import { startProvider } from "./provider.mjs";

/**
 * Starts one. It has what `startProvider` has, where `respond` takes a script that may return
 * nothing, and then the honest answer is given. The script may take its time.
 *
 * A rotation is of the class that the grant was issued with:
 *
 * - `reuse_revokes`: a refresh token works once; one that comes back ends the whole grant;
 * - `grace`: the one before the current works too, and gets the current pair again;
 * - `none`: refresh tokens stay as they are.
 *
 * A rotation counts from the moment in which its answer is written; a call whose connection broke
 * before that changes nothing.
 */
export async function startRotatingProvider({ expiresIn = 3600 } = {}) {
  const provider = await startProvider();
  const byToken = new Map();
  const grants = [];
  const revocations = [];
  let script = () => undefined;
  let forgiven = 0;

  function rotate(grant) {
    if (grant.rotation !== "none" || !grant.refreshToken) {
      grant.previous = grant.refreshToken;
      grant.refreshToken = `fake-refresh-${randomUUID()}`;
    }
    grant.accessToken = `fake-access-${randomUUID()}`;
    grant.issued += 1;
    grant.isForgiving = false;
    byToken.set(grant.refreshToken, grant);
    byToken.set(grant.accessToken, grant);
  }

  function honest(call) {
    if (call.path === "/revoke") {
      const grant = byToken.get(call.form.token);
      revocations.push(call.form.token);
      if (grant) grant.isAlive = false;
      return { status: 200 };
    }
    if (call.hungUp()) return undefined;
    const sent = call.form?.refresh_token;
    const grant = byToken.get(sent);
    call.grant = grant;
    if (!grant?.isAlive || grant.accessToken === sent) return refused;
    if (sent === grant.refreshToken) {
      rotate(grant);
    } else if (grant.isForgiving && sent === grant.previous) {
      forgiven += 1;
      rotate(grant);
    } else if (grant.rotation !== "grace" || sent !== grant.previous) {
      grant.reuses += 1;
      grant.isAlive = grant.rotation !== "reuse_revokes";
      return refused;
    }
    call.issued = { access_token: grant.accessToken, refresh_token: grant.refreshToken };
    return { body: { ...call.issued, token_type: "bearer", expires_in: expiresIn } };
  }

  provider.respond(async (call) => (await script(call)) ?? honest(call));
  const all = (name) => grants.reduce((sum, grant) => sum + grant[name], 0);

  return {
    ...provider,
    respond(next) {
      script = typeof next === "function" ? next : () => next;
    },

    /** Tokens that were given to `/revoke`. */
    revocations,

    /** A grant as if its user had just consented, whose access token has ended. */
    issueGrant(rotation = "reuse_revokes") {
      const grant = { rotation, isAlive: true, issued: 0, reuses: 0 };
      grants.push(grant);
      rotate(grant);
      return grant;
    },

    /** Takes, once more and until their next rotation, the refresh token before the current one. */
    forgive(list) {
      for (const grant of list) grant.isForgiving = true;
    },

    /** How often that was made use of. */
    forgiven: () => forgiven,

    /** How often a token pair was issued, and how often an old refresh token came back. */
    issued: () => all("issued"),
    reuses: () => all("reuses"),

    /** Whether an API of this provider would take the token. */
    isAlive: (accessToken) => Boolean(byToken.get(accessToken)?.isAlive),
  };
}

/** The fields of a custom provider entry whose endpoints are at `url`. */
export function providerEntry(url) {
  return {
    display_name: "Scripted",
    auth_mode: "OAUTH2",
    docs: "https://example.com/docs",
    authorization_url: "https://example.com/authorize",
    token_url: `${url}/token`,
    token_request_auth_method: "basic",
  };
}

/** Credentials for an import of `grant`; they have ended, so that the first read refreshes. */
export function expiredCredentials({ accessToken, refreshToken }) {
  return {
    access_token: accessToken,
    refresh_token: refreshToken,
    expires_at: "2020-01-01T00:00:00Z",
  };
}

/** An answer that waits until it is let out: `asked` resolves when the provider was called. */
export function gate(answer) {
  const asked = Promise.withResolvers();
  const opened = Promise.withResolvers();
  return {
    asked: asked.promise,
    open: opened.resolve,
    async respond() {
      asked.resolve();
      await opened.promise;
      return answer;
    },
  };
}

const refused = { status: 400, body: { error: "invalid_grant" } };
