// A real OAuth 2 server to refresh against, with a grant and the calls that try holdfast on it.
// Options: --port, --access-token-ttl (seconds), --service (the URL of holdfast).
import { existsSync, realpathSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { devVars, option, projectNode } from "./project.mjs";
import { start, stop } from "./run.mjs";
import { setUp } from "./setup.mjs";

const args = process.argv.slice(2);
const signals = ["SIGHUP", "SIGINT", "SIGTERM"];
// Where the packages lie behind a link, the path that runs is another one.
const isProjectNode = existsSync(projectNode) && realpathSync(projectNode) === process.execPath;
if (isProjectNode) await serve();
else process.exitCode = await serveOnProjectNode();

// Before the first `npm ci` this runs on the system's Node, which may be too old for the server.
async function serveOnProjectNode() {
  await setUp();
  const server = start(projectNode, [fileURLToPath(import.meta.url), ...args]);
  for (const signal of signals) process.on(signal, () => server.child.kill("SIGTERM"));
  return server.exited;
}

async function serve() {
  const { HOLDFAST_ACCOUNT_KEY: accountKey, HOLDFAST_SECRET_KEY_DEV: devKey } = devVars();
  if (!accountKey || !devKey) stop('.dev.vars has no keys: run "npm run dev" first');
  const accessTokenTtl = Number(option(args, "--access-token-ttl", "60"));
  const port = Number(option(args, "--port", "9100"));
  const service = option(args, "--service", "http://127.0.0.1:8787");

  const { clients, startOAuthServer } = await import("../tests/support/oauth-server.mjs");
  const server = await startOAuthServer({ port, accessTokenTtl }).catch(({ code }) =>
    stop(`Cannot listen on port ${port} (${code}): choose another with "-- --port N"`),
  );
  for (const signal of signals) process.on(signal, () => process.exit(0));
  const { client_id, client_secret } = clients.basic;
  const grant = await server.issueGrant({ expired: true });

  console.log(`OAuth 2 server at ${server.url}
Access tokens live ${accessTokenTtl} s, refresh tokens work once, and one used twice ends its family.
A user has consented; the access token has expired:

  access_token   ${grant.access_token}
  refresh_token  ${grant.refresh_token}

1. Describe the server to holdfast, with the account key:

${curl("PUT", `${service}/providers/local-oauth`, accountKey, {
  display_name: "Local OAuth",
  docs: "https://github.com/panva/node-oidc-provider",
  auth_mode: "OAUTH2",
  authorization_url: `${server.url}/auth`,
  token_url: `${server.url}/token`,
  token_request_auth_method: "basic",
})}

2. Make an integration of it, with the client that we are to it:

${curl("POST", `${service}/integrations`, devKey, {
  unique_key: "local-oauth",
  provider: "local-oauth",
  credentials: { type: "OAUTH2", client_id, client_secret, scopes: "openid,offline_access" },
})}

3. Import the user's expired credentials:

${curl("POST", `${service}/connections`, devKey, {
  provider_config_key: "local-oauth",
  connection_id: "demo",
  credentials: { type: "OAUTH2", ...grant },
})}

4. Fetch them: a fresh access token. Again after ${accessTokenTtl} s: the next one.

${curl("GET", `${service}/connections/demo?provider_config_key=local-oauth`, devKey)}

Token calls are listed below. Ctrl-C ends it.
`);
  server.onTokenCall(({ request, status, answer }) => {
    const outcome = status === 200 ? "a new pair" : `${answer?.error}`;
    console.log(`${new Date().toISOString()} ${request.grant_type}: ${status}, ${outcome}`);
  });
}

// One line to paste; an apostrophe in the body would end the shell's quotation.
function curl(method, url, key, body) {
  const verb = method === "GET" ? "" : `-X ${method} `;
  const json = JSON.stringify(body)?.replaceAll("'", "\\u0027");
  const data = json ? ` -H 'Content-Type: application/json' -d '${json}'` : "";
  return `curl ${verb}'${url}' -H 'Authorization: Bearer ${key}'${data}; echo`;
}
