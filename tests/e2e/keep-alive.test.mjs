// The scheduled event on real workerd: what it refreshes, what it leaves alone, what it removes.
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { keys, startHarness } from "../support/harness.mjs";
import { startProvider } from "../support/provider.mjs";

const EVENT = { cron: "*/10 * * * *" };
const issued = { body: { access_token: "fake-new", refresh_token: "fake-2", expires_in: 3600 } };

let holdfast;
let provider;
let key;

beforeAll(async () => {
  holdfast = await startHarness();
});
afterAll(() => holdfast?.close());

beforeEach(async () => {
  provider = await startProvider();
  const entry = {
    display_name: "Idle",
    auth_mode: "OAUTH2",
    docs: "https://example.com/docs",
    authorization_url: "https://example.com/authorize",
    token_url: `${provider.url}/token`,
  };
  await send("PUT", "/providers/idle", entry, keys.account);
  ({ key } = await holdfast.createEnvironment());
  const credentials = { type: "OAUTH2", client_id: "fake-client", client_secret: "fake-secret" };
  await send("POST", "/integrations", { provider: "idle", unique_key: "it", credentials });
  holdfast.clearLogs();
});
afterEach(async () => {
  await send("DELETE", "/integrations/it");
  await provider.close();
});

async function send(method, path, body, as = key) {
  const answer = await holdfast.fetch(path, { method, key: as, body });
  expect(answer.status, answer.text).toBe(200);
  return answer.json;
}

const importConnection = (connection_id, expires_at) =>
  send("POST", "/connections", {
    provider_config_key: "it",
    connection_id,
    credentials: {
      type: "OAUTH2",
      access_token: "fake-old",
      refresh_token: `fake-refresh-of-${connection_id}`,
      expires_at,
    },
  });

const read = (connection_id) =>
  holdfast.fetch(`/connections/${connection_id}?provider_config_key=it`, { key });

const inSeconds = (seconds) => new Date(Date.now() + seconds * 1000).toISOString();
const sent = () => provider.calls.map(({ form }) => form.refresh_token);
const lines = (name) =>
  holdfast
    .logs()
    .filter((line) => line.includes(name))
    .map((line) => JSON.parse(line));

test("an idle connection is refreshed, a fresh one and a dead one are left alone", async () => {
  await importConnection("idle", inSeconds(-3600));
  await importConnection("fresh", inSeconds(3600));
  await importConnection("dead", inSeconds(-3600));
  provider.respond({ status: 400, body: { error: "invalid_grant" } });
  expect((await read("dead")).status).toBe(400);
  provider.calls.length = 0;
  provider.respond(issued);

  expect(await holdfast.worker.scheduled(EVENT)).toMatchObject({ outcome: "ok" });

  expect(sent()).toEqual(["fake-refresh-of-idle"]);
  expect((await read("idle")).json.credentials.access_token).toBe("fake-new");
  expect((await read("fresh")).json.credentials.access_token).toBe("fake-old");
  expect((await read("dead")).status).toBe(424);
  expect(provider.calls).toHaveLength(1);
  const [line] = lines("keep_alive");
  expect(line).toMatchObject({
    "keep_alive.outcomes": { refreshed: 1 },
    "keep_alive.is_cut_short": false,
    error: null,
  });
});

test("two events at once make one token call for each connection", async () => {
  const names = Array.from({ length: 10 }, (_, n) => `c${n}`);
  for (const name of names) await importConnection(name, inSeconds(-3600));
  const opened = Promise.withResolvers();
  provider.respond(async () => {
    await opened.promise;
    return issued;
  });
  const events = [holdfast.worker.scheduled(EVENT), holdfast.worker.scheduled(EVENT)];
  await expect.poll(() => provider.calls.length, { timeout: 10_000 }).toBeGreaterThan(5);
  opened.resolve();
  await Promise.all(events);

  expect(sent().sort()).toEqual(names.map((name) => `fake-refresh-of-${name}`));
});

test("logs older than 30 days are removed", async () => {
  const { id } = await importConnection("logged", inSeconds(3600));
  const { DB } = await holdfast.worker.getEnv();
  const insert = DB.prepare(
    `insert into refresh_log (id, connection, trigger, outcome, attempt, started_at, duration)
    values (?, ?, 'read', 'refreshed', 1, ?, 0)`,
  );
  const day = 86_400_000;
  await DB.batch([
    insert.bind("old", id, Date.now() - 31 * day),
    insert.bind("young", id, Date.now() - 29 * day),
  ]);

  await holdfast.worker.scheduled(EVENT);

  const { results } = await DB.prepare("select id from refresh_log where connection = ?")
    .bind(id)
    .all();
  expect(results).toEqual([{ id: "young" }]);
  expect(lines("retention")).toMatchObject([{ "retention.logs": 1, error: null }]);
});

test("a deployment whose settings are refused says so and does nothing", async () => {
  const refused = await startHarness({ secrets: { HOLDFAST_ENCRYPTION_KEYS: "nonsense" } });
  try {
    expect(await refused.worker.scheduled(EVENT)).toMatchObject({ outcome: "ok" });
    const logs = refused.logs().join("\n");
    expect(logs).toContain("nothing is kept alive");
    expect(logs).toContain("HOLDFAST_ENCRYPTION_KEYS");
    expect(logs).not.toContain("keep_alive");
  } finally {
    await refused.close();
  }
});
