// What providers answer when they do not answer well: nothing of it costs a credential.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { startRefreshing } from "../support/refreshing.mjs";

let holdfast;
let provider;
let connect;
let close;

beforeAll(async () => {
  ({ holdfast, provider, connect, close } = await startRefreshing());
});
afterAll(() => close?.());

beforeEach(() => {
  provider.respond(undefined);
  provider.calls.length = 0;
});

const html = "<!doctype html><title>Log in</title>";
const redirect = (call) => ({
  status: 302,
  headers: { location: `http://${call.headers.host}/elsewhere` },
});
const flood = "x".repeat(100_000_000);
const lies = [
  ["a 500", { status: 500, body: { error: "server_error" } }],
  ["a 429", { status: 429, headers: { "Retry-After": "120" }, body: { error: "slow_down" } }],
  ["a 200 with HTML", { headers: { "Content-Type": "text/html" }, body: html }],
  ["a 200 with ok:false", { body: { ok: false, error: "internal_error" } }],
  ["a truncated 200", { body: '{"access_token":"fake-cut","refresh_tok' }],
  ["a 200 with an empty token", { body: { access_token: "", expires_in: 3600 } }],
  ["a 200 without a body", { status: 200 }],
  ["100 MB with a token", () => ({ body: { access_token: "fake-flood", pad: flood } })],
  ["a redirect", redirect],
];

// Row 9.
describe.each(lies)("%s instead of a token", (_, lie) => {
  test("is no end of an expired connection: the next refresh that works heals it", async () => {
    const { grant, read, force } = await connect();
    provider.respond(lie);
    const { status, json } = await read();
    expect(status).toBe(400);
    expect(json.error).toMatchObject({
      code: "invalid_credentials",
      payload: { connection: { connection_id: "c", credentials: {} } },
    });
    expect((await read()).status).toBe(424);
    expect(provider.calls).toHaveLength(1);

    provider.respond(undefined);
    expect((await force()).json.credentials).toMatchObject({
      access_token: grant.accessToken,
      refresh_token: grant.refreshToken,
    });
    expect(provider.reuses()).toBe(0);
  });

  test("is nothing to the reader of a token that still works", async () => {
    const expires_at = new Date(Date.now() + 300_000).toISOString();
    const { grant, read } = await connect({ expires_at });
    provider.respond(lie);
    for (let round = 0; round < 2; round += 1) {
      const { status, json } = await read();
      expect(status).toBe(200);
      expect(json.credentials.access_token).toBe(grant.accessToken);
    }
    expect(provider.calls).toHaveLength(1);
  });
});

// Row 9.
test("a grant that the provider calls dead is not asked for again, and the token is kept", async () => {
  const { grant, read, row } = await connect();
  const before = await row();
  grant.isAlive = false;
  expect((await read()).status).toBe(400);
  expect((await read()).status).toBe(424);
  expect(provider.calls).toHaveLength(1);
  const after = await row();
  expect(after.refresh_exhausted_at).toBeGreaterThan(0);
  expect(after.credentials).toBe(before.credentials);
});

// Row 9.
test("a provider that asks to wait is left alone for that long", async () => {
  const { read, row } = await connect();
  provider.respond({ status: 429, headers: { "Retry-After": "120" } });
  const started = Date.now();
  await read();
  expect((await row()).refresh_retry_at).toBeGreaterThanOrEqual(started + 120_000);
});

// Row 9.
test("a redirect of the token endpoint is not followed", async () => {
  const { read } = await connect();
  const elsewhere = { body: { access_token: "fake-stolen" } };
  provider.respond((call) => (call.path === "/token" ? redirect(call) : elsewhere));
  expect((await read()).status).toBe(400);
  expect(provider.calls.map(({ path }) => path)).toEqual(["/token"]);
});

const jwt = (exp) => {
  const part = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
  return `${part({ alg: "none" })}.${part({ exp })}.fake`;
};
const now = () => Date.now() / 1000;
const lifetimes = [
  ["0", () => ({ access_token: "fake-0", expires_in: 0 })],
  ["a negative number", () => ({ access_token: "fake-1", expires_in: -3600 })],
  ["a huge number", () => ({ access_token: "fake-2", expires_in: 1e18 })],
  ["a number that no float holds", () => '{"access_token":"fake-3","expires_in":1e999}'],
  ["a number in a string", () => ({ access_token: "fake-4", expires_in: "3600" })],
  ["a word", () => ({ access_token: "fake-5", expires_in: "soon" })],
  ["null", () => ({ access_token: "fake-6", expires_in: null })],
  ["a fraction", () => ({ access_token: "fake-7", expires_in: 3600.5 })],
  ["an end that a clock 5 minutes behind set", () => ({ access_token: jwt(now() - 300) })],
  ["an end that a clock 5 minutes ahead set", () => ({ access_token: jwt(now() + 3900) })],
  ["an end in the year 292 million", () => ({ access_token: jwt(9e15) })],
];

// Row 10.
test.each(lifetimes)("%s as lifetime breaks nothing and starts no storm", async (_, body) => {
  const { read } = await connect();
  provider.respond(() => ({ headers: { "Content-Type": "application/json" }, body: body() }));
  const answers = [];
  for (let round = 0; round < 5; round += 1) answers.push(await read());
  expect(provider.calls).toHaveLength(1);
  const [first, ...others] = answers.map(({ status }) => status);
  expect([200, 400]).toContain(first);
  expect(new Set(others)).toEqual(new Set([first === 200 ? 200 : 424]));
  expect(holdfast.logs().join("\n")).not.toContain('"error":"panic"');
});
