// The object is gone in the middle of a refresh: what had reached it is used, and where nobody
// knows what the provider did, that is on record.
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { eventually, startRefreshing } from "../support/refreshing.mjs";
import { gate } from "../support/rotating-provider.mjs";

let provider;
let connect;
let setFaults;
let close;

beforeAll(async () => {
  ({ provider, connect, setFaults, close } = await startRefreshing({ faults: true }));
});
afterAll(() => close?.());

beforeEach(() => {
  provider.respond(undefined);
  provider.calls.length = 0;
});
afterEach(() => setFaults());

const evict = (when, at) => setFaults({ at, when, what: "evict" });
const isEmpty = (entries) => entries.length === 0;
const outcomes = (log) => log.map(({ outcome }) => outcome);
const inFiveMinutes = () => new Date(Date.now() + 300_000).toISOString();

// Row 6, step 4.
test("evicted before the intent is written, it has asked for nothing", async () => {
  const { grant, read, log } = await connect();
  await evict("before", "intent");
  await read();
  expect(provider.calls).toHaveLength(0);
  expect((await read()).json.credentials.access_token).toBe(grant.accessToken);
  expect(outcomes(await log())).toEqual(["refreshed"]);
});

// Row 6, step 4.
test("evicted after the intent is written, the next refresh records that and asks", async () => {
  const { grant, read, log, journal } = await connect();
  await evict("before", "call");
  await read();
  expect(provider.calls).toHaveLength(0);
  expect(await journal()).toMatchObject([{ intent: { trigger: "read" } }]);
  expect((await read()).json.credentials.access_token).toBe(grant.accessToken);
  expect(outcomes(await log())).toEqual(["unknown", "refreshed"]);
  expect(provider.calls).toHaveLength(1);
});

// Row 6, step 5.
test("evicted while the provider thinks, the outcome is recorded by the alarm", async () => {
  const { read, abort, ring, log, journal, row } = await connect();
  const { respond, asked, open } = gate("hang");
  provider.respond(respond);
  const reader = read();
  await asked;
  await abort();
  await reader;
  open();

  await ring();
  await eventually(journal, isEmpty);
  expect(await log()).toMatchObject([{ outcome: "unknown", status: null }]);
  const { refresh_failures, refresh_failure_log } = await row();
  expect(refresh_failures).toBe(1);
  expect(refresh_failure_log).toBe((await log())[0].id);
});

// Row 6, step 6. The answer of the provider is lost with the object; it had not been written.
test.each(["none", "grace"])(
  "evicted with an answer that it had not kept, it asks again where rotation is %s",
  async (rotation) => {
    const { grant, read, log } = await connect({ rotation });
    await evict("after", "call");
    await read();
    expect((await read()).json.credentials.access_token).toBe(grant.accessToken);
    expect(outcomes(await log())).toEqual(["unknown", "refreshed"]);
    expect(grant.isAlive).toBe(true);
  },
);

// Row 6, step 6.
test("where reuse revokes, a lost answer is the end of the grant, and that is on record", async () => {
  const { grant, read, log, row } = await connect();
  await evict("after", "call");
  await read();
  expect((await read()).status).toBe(400);
  expect(outcomes(await log())).toEqual(["unknown", "invalid_grant"]);
  expect((await row()).refresh_exhausted_at).toBeGreaterThan(0);
  expect((await read()).status).toBe(424);
  expect(provider.calls).toHaveLength(2);
  expect(grant.reuses).toBe(1);
});

// Row 6, step 6.
test("where reuse revokes, a token that still works is used up before the old one is tried", async () => {
  const { read, log } = await connect({ expires_at: inFiveMinutes() });
  await evict("after", "call");
  await read();
  for (let round = 0; round < 2; round += 1) {
    const { status, json } = await read();
    expect(status).toBe(200);
    expect(provider.isAlive(json.credentials.access_token)).toBe(true);
  }
  expect(outcomes(await log())).toEqual(["unknown"]);
  expect(provider.calls).toHaveLength(1);
});

// Row 6, steps 6 to 8.
test.each([
  ["before", "record"],
  ["after", "record"],
  ["before", "clear"],
  ["after", "clear"],
])("evicted %s the step %s, the pair is there for the next reader", async (when, at) => {
  const { grant, read, log, journal, ring } = await connect();
  await evict(when, at);
  await read();
  const { json } = await read("&refresh_token=true");
  expect(json.credentials).toMatchObject({
    access_token: grant.accessToken,
    refresh_token: grant.refreshToken,
  });
  if (!isEmpty(await journal())) await ring();
  await eventually(journal, isEmpty);
  expect(outcomes(await log())).toEqual(["refreshed"]);
  expect(provider.calls).toHaveLength(1);
});

// Row 6, step 7.
test("evicted with a pair that D1 does not have, it lands by the alarm though nobody reads", async () => {
  const { grant, read, ring, row, journal } = await connect();
  const { credentials_version } = await row();
  await evict("before", "record");
  await read();
  expect((await row()).credentials_version).toBe(credentials_version);
  await ring();
  await eventually(journal, isEmpty);
  expect((await row()).credentials_version).toBe(credentials_version + 1);
  expect((await read()).json.credentials.access_token).toBe(grant.accessToken);
  expect(provider.calls).toHaveLength(1);
});

// Row 6.
test("the reader whose refresh is cut off gets the token that still works", async () => {
  const { grant, read } = await connect({ expires_at: inFiveMinutes() });
  await evict("before", "call");
  const { status, json } = await read();
  expect(status).toBe(200);
  expect(json.credentials.access_token).toBe(grant.accessToken);
});
