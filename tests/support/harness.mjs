// The compiled Worker on real workerd with an empty, migrated D1, and keys that are no secrets.
import { randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { createTestHarness } from "wrangler";

const root = fileURLToPath(new URL("../..", import.meta.url));
const production = "build/worker-output";
const faulty = "build/faulty-output";

/** The keys that come from Worker secrets. Every harness has the same. */
export const keys = {
  account: "test-account-key-0123456789abcdef0123456789abcdef",
  dev: "00000000-0000-4000-8000-00000000000d",
  prod: "00000000-0000-4000-8000-00000000000e",
};

/** The Worker secrets of every harness; `startHarness` can add to them and replace them. */
export const secrets = {
  HOLDFAST_ACCOUNT_KEY: keys.account,
  HOLDFAST_ALLOW_PRIVATE_PROVIDERS: "true",
  HOLDFAST_ENCRYPTION_KEYS: `1:${Buffer.alloc(32, "test key ").toString("base64")}`,
  HOLDFAST_SECRET_KEY_DEV: keys.dev,
  HOLDFAST_SECRET_KEY_PROD: keys.prod,
};

/**
 * Starts the Worker and resolves to what a test needs of it.
 *
 * - `secrets`: Worker secrets beside or instead of the usual ones.
 * - `faults`: takes the build that has faults around it; see `faults/index.js`.
 */
export async function startHarness({ secrets: own = {}, faults = false } = {}) {
  const prebuiltWorkerDir = faults ? faulty : production;
  if (!existsSync(`${root}/${prebuiltWorkerDir}`)) {
    throw new Error("the Worker is not built: run the tests with `npm run e2e`");
  }
  const options = {
    root,
    workers: [
      { configPath: "wrangler.toml", prebuiltWorkerDir, secrets: { ...secrets, ...own } },
    ],
  };
  const server = createTestHarness(options);
  const { url } = await server.listen();
  const worker = server.getWorker();
  await worker.applyD1Migrations("DB");

  /**
   * Sends a request and reads the answer: `{ status, headers, text, json }`, where `json` is
   * undefined if the answer is not JSON. A `body` that is not a string is sent as JSON, with `key`
   * as bearer token; `key: null` sends no `Authorization`.
   */
  async function send(path, { method = "GET", key = keys.dev, body, headers = {} } = {}) {
    const isText = typeof body === "string" || body === undefined;
    const response = await server.fetch(path, {
      method,
      body: isText ? body : JSON.stringify(body),
      headers: {
        ...(key === null ? {} : { Authorization: `Bearer ${key}` }),
        ...(body === undefined ? {} : { "Content-Type": "application/json" }),
        ...headers,
      },
      redirect: "manual",
    });
    const text = await response.text();
    return { status: response.status, headers: response.headers, text, json: parsed(text) };
  }

  /** Makes an environment that no other test has touched: `{ id, name, key }`. */
  async function createEnvironment() {
    const post = (path, body) => send(path, { method: "POST", key: keys.account, body });
    const environment = (await post("/environments", { name: randomUUID() })).json.data;
    const named = { environment_id: environment.id, display_name: "test" };
    const key = (await post("/environment/api-keys", named)).json.data.secret;
    return { ...environment, key };
  }

  return {
    /** Where the Worker listens, for clients that make their own requests. */
    url: url.href.replace(/\/$/, ""),
    /** Wrangler's handle on the Worker: bindings, Durable Objects, scheduled events. */
    worker,
    fetch: send,
    createEnvironment,
    /** Everything that the Worker has logged, one string for each line. */
    logs: () => server.getLogs().map(({ message }) => message),
    /** Replaces the running Worker, as new code does. */
    reload: () => server.update(options),
    clearLogs: () => server.clearLogs(),
    close: () => server.close(),
  };
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
