// The database fails around a refresh: a pair that the provider issued is kept and used.
import { readFileSync } from "node:fs";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { eventually, startRefreshing } from "../support/refreshing.mjs";

let provider;
let connect;
let setFaults;
let steps;
let close;

beforeAll(async () => {
  ({ provider, connect, setFaults, steps, close } = await startRefreshing({ faults: true }));
});
afterAll(() => close?.());

beforeEach(() => {
  provider.calls.length = 0;
});
afterEach(() => setFaults());

const isEmpty = (entries) => entries.length === 0;

test("a refresh takes its steps in this order and leaves no entry behind", async () => {
  const { read, journal } = await connect();
  await setFaults();
  expect((await read()).status).toBe(200);
  await eventually(journal, isEmpty);
  const taken = ["read", "intent", "alarm", "call", "pair", "alarm", "record", "clear"];
  expect(await steps()).toEqual(taken);
});

// Row 5.
test.each(["before", "after"])(
  "a pair that D1 does not take (failing %s the write) is served, and lands by the alarm",
  async (when) => {
    const { grant, read, ring, row, journal, log } = await connect();
    const before = await row();
    await setFaults({ at: "record", when, what: "fail", times: 2 });

    const { status, json } = await read("&refresh_token=true");
    expect(status).toBe(200);
    expect(json.credentials).toMatchObject({
      access_token: grant.accessToken,
      refresh_token: grant.refreshToken,
    });
    expect(await journal()).toMatchObject([{ pair: { intent: { uid: before.uid } } }]);

    await ring();
    await eventually(steps, (taken) => taken.filter((it) => it === "record").length === 2);
    expect(await journal()).toMatchObject([{ pair: { failures: 2 } }]);
    await ring();
    await eventually(journal, isEmpty);
    const after = await row();
    expect(after.credentials_version).toBe(before.credentials_version + 1);
    expect(await log()).toMatchObject([{ outcome: "refreshed" }]);
    expect((await read()).json.credentials.access_token).toBe(grant.accessToken);
    expect(provider.calls).toHaveLength(1);
  },
);

// Row 5.
test("while D1 takes nothing, every reader gets the pair that waits, and the provider rests", async () => {
  const { grant, read, journal } = await connect();
  await setFaults({ at: "record", when: "before", what: "fail", times: 1_000_000 });
  for (let round = 0; round < 5; round += 1) {
    const { status, json } = await read();
    expect(status).toBe(200);
    expect(json.credentials.access_token).toBe(grant.accessToken);
  }
  expect(provider.calls).toHaveLength(1);
  await setFaults();
  expect((await read()).json.credentials.access_token).toBe(grant.accessToken);
  await eventually(journal, isEmpty);
  expect(provider.reuses()).toBe(0);
});

// Row 5.
test("a refresh token is not sent when what comes back could not be kept", async () => {
  const { read, force } = await connect();
  await setFaults({ at: "intent", when: "before", what: "fail" });
  expect((await read()).status).toBe(500);
  expect(provider.calls).toHaveLength(0);
  expect((await force()).status).toBe(200);
});

// Row 5.
test("a pair that the object's storage does not take still reaches D1", async () => {
  const { grant, read } = await connect();
  await setFaults({ at: "pair", when: "before", what: "fail" });
  expect((await read()).json.credentials.access_token).toBe(grant.accessToken);
  expect((await read()).json.credentials.access_token).toBe(grant.accessToken);
  expect(provider.calls).toHaveLength(1);
});

// Row 7.
test("a pair that waits for a connection that is deleted is revoked, and nothing stays", async () => {
  const entry = { revocation_url: `${provider.url}/revoke` };
  const { grant, read, remove, journal } = await connect({ entry });
  await setFaults({ at: "record", when: "before", what: "fail" });
  expect((await read()).status).toBe(200);
  expect(await journal()).toHaveLength(1);
  expect((await remove()).status).toBe(200);
  await eventually(journal, isEmpty);
  expect(grant.isAlive).toBe(false);
});

test("nothing of the faults is in what is deployed", () => {
  const text = (path) => readFileSync(new URL(`../../${path}`, import.meta.url), "utf8");
  const control = "fault-control";
  expect(text("build/faulty-output/index.js")).toContain(control);
  expect(text("build/worker-output/index.js")).not.toContain(control);
  expect(text("wrangler.toml")).toMatch(/^main = "build\/index.js"$/m);
  const wasm = (folder) => /"\.\/(\w+)-index_bg\.wasm"/.exec(text(`build/${folder}/index.js`))[1];
  expect(wasm("faulty-output")).toBe(wasm("worker-output"));
});
