// Many readers of credentials that are due make as few token calls as can be, and lose none.
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { startRefreshing } from "../support/refreshing.mjs";
import { gate } from "../support/rotating-provider.mjs";

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

const times = (count, make) => Promise.all(Array.from({ length: count }, (_, at) => make(at)));

// Row 1.
test("200 parallel readers of an expired token make one token call and all get the new one", async () => {
  const { grant, read } = await connect();
  provider.respond(() => sleep(500)); // So the others come while the first is waiting.
  const answers = await times(200, () => read());
  expect(provider.calls).toHaveLength(1);
  const tokens = answers.map(({ json }) => json.credentials.access_token);
  expect(new Set(tokens)).toEqual(new Set([grant.accessToken]));
  expect(provider.isAlive(grant.accessToken)).toBe(true);
});

// Row 2.
test("20 parallel readers of each of 50 connections make 50 token calls", async () => {
  const { importGrant, read } = await connect();
  const grants = await times(50, () => provider.issueGrant());
  await times(50, (at) => importGrant(grants[at], `c-${at}`));
  const tokens = await times(50, (at) =>
    times(20, async () => (await read("", `c-${at}`)).json.credentials.access_token),
  );
  expect(provider.calls).toHaveLength(50);
  expect(tokens.map((its) => [...new Set(its)])).toEqual(
    grants.map(({ accessToken }) => [accessToken]),
  );
});

// Row 3.
test("callers that hang up in the middle of a refresh do not lose its result", async () => {
  const { grant, key, read, url } = await connect();
  const { respond, asked, open } = gate();
  provider.respond(respond);
  const callers = new AbortController();
  const headers = { Authorization: `Bearer ${key}` };
  const reads = [1, 2, 3].map(() => fetch(url(), { headers, signal: callers.signal }));
  await asked;
  callers.abort();
  await Promise.allSettled(reads);
  open();

  const { json } = await read("&refresh_token=true");
  expect(json.credentials).toMatchObject({
    access_token: grant.accessToken,
    refresh_token: grant.refreshToken,
  });
  expect(provider.calls).toHaveLength(1);
  expect(provider.isAlive(grant.accessToken)).toBe(true);
});

// Row 4.
test("a provider that never answers is given up, and the token that still works is served", async () => {
  const inFiveMinutes = new Date(Date.now() + 300_000).toISOString();
  const { grant, read } = await connect({
    expires_at: inFiveMinutes,
    entry: { token_request_timeout: 1 },
  });
  provider.respond("hang");
  const started = Date.now();
  for (let round = 0; round < 2; round += 1) {
    const { status, json } = await read();
    expect(status).toBe(200);
    expect(json.credentials.access_token).toBe(grant.accessToken);
  }
  expect(Date.now() - started).toBeLessThan(6000);
  expect(provider.calls).toHaveLength(1);
});

// Row 8; `npm run soak` makes 1,000.
test("200 rotations under 20 callers present no refresh token twice", { timeout: 90_000 }, async () => {
  const { grant, force, read } = await connect();
  await times(20, async (at) => {
    while (grant.issued < 200) {
      const { status, json } = await (at % 2 === 0 ? force() : read());
      expect(status).toBe(200);
      expect(provider.isAlive(json.credentials.access_token)).toBe(true);
    }
  });
  expect(provider.reuses()).toBe(0);
  expect((await read()).json.credentials.access_token).toBe(grant.accessToken);
});

test("the readers of a connection that is refreshed by force wait for no one", async () => {
  const { force, read } = await connect();
  await force();
  const { respond, asked, open } = gate();
  provider.respond(respond);
  const forced = force();
  await asked;
  expect((await read()).status).toBe(200);
  open();
  expect((await forced).status).toBe(200);
  expect(holdfast.logs().join("\n")).not.toContain("panic");
});
