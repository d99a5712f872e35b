// A connection is changed while it is refreshed: the change stands, and so does the refresh.
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { eventually, startRefreshing } from "../support/refreshing.mjs";
import { gate } from "../support/rotating-provider.mjs";

let holdfast;
let provider;
let connect;
let close;

beforeAll(async () => {
  ({ holdfast, provider, connect, close } = await startRefreshing({ faults: true }));
});
afterAll(() => close?.());

beforeEach(() => {
  provider.respond(undefined);
  provider.calls.length = 0;
});

// Reads `connection`, makes `change` while the provider thinks, and gives the reader's answer.
async function during({ read }, change) {
  const { respond, asked, open } = gate();
  provider.respond(respond);
  const reader = read("&refresh_token=true");
  await asked;
  await change();
  provider.respond(undefined);
  open();
  return reader;
}

// Row 7.
test("a patch and new metadata in the middle of a refresh are not reverted by it", async () => {
  const connection = await connect();
  const { grant, send, read } = connection;
  const answer = await during(connection, async () => {
    const patch = { tags: { team: "blue" } };
    const patched = await send("PATCH", "/connections/c?provider_config_key=it", patch);
    expect(patched.status, patched.text).toBe(200);
    const metadata = { connection_id: "c", provider_config_key: "it", metadata: { plan: "x" } };
    const changed = await send("PATCH", "/connections/metadata", metadata);
    expect(changed.status, changed.text).toBe(200);
  });
  for (const { json } of [answer, await read()]) {
    expect(json.credentials.access_token).toBe(grant.accessToken);
  }
  expect((await read()).json).toMatchObject({ tags: { team: "blue" }, metadata: { plan: "x" } });
  expect(provider.calls).toHaveLength(1);
});

// Row 7.
test("another grant that is imported in the middle of a refresh wins", async () => {
  const connection = await connect();
  const { grant, importGrant, read, journal } = connection;
  const other = provider.issueGrant();
  const imported = { ...other };
  await during(connection, () => importGrant(other));
  expect((await read()).json.credentials.access_token).toBe(other.accessToken);
  expect(provider.calls.map(({ form }) => form.refresh_token)).toContain(imported.refreshToken);
  await eventually(journal, (entries) => entries.length === 0);
  expect(grant.reuses + other.reuses).toBe(0);
});

// Row 7.
test("the same grant imported again in the middle of its refresh takes over the new pair", async () => {
  const connection = await connect();
  const { grant, importGrant, read, force } = connection;
  const asImported = { ...grant };
  const { json } = await during(connection, () => importGrant(asImported));
  expect(json.credentials.access_token).toBe(grant.accessToken);
  expect((await read()).json.credentials.access_token).toBe(grant.accessToken);
  expect((await force()).json.credentials.refresh_token).toBe(grant.refreshToken);
  expect(grant.reuses).toBe(0);
});

// Row 7.
test("a connection deleted in the middle of a refresh stays deleted", async () => {
  const connection = await connect();
  const { read, remove, row, journal } = connection;
  const answer = await during(connection, async () => {
    expect((await remove()).json).toEqual({ success: true });
  });
  expect(answer.status).toBe(404);
  expect((await read()).status).toBe(404);
  expect(await row()).toBe(undefined);
  await eventually(journal, (entries) => entries.length === 0);
});

// Row 7.
test("a connection made anew in the middle of a refresh of its predecessor is none of its business", async () => {
  const connection = await connect();
  const { importGrant, read, remove } = connection;
  const other = provider.issueGrant();
  const answer = await during(connection, async () => {
    await remove();
    await importGrant(other);
  });
  expect(answer.status).toBe(404);
  expect((await read()).json.credentials.access_token).toBe(other.accessToken);
  expect(other.reuses).toBe(0);
});

// New code, here, ends the process that runs the old; the request is sent again to the new one.
test("new code in the middle of a refresh cuts it off, which is on record, and the reader is served", async () => {
  const { grant, read, log } = await connect({ rotation: "none" });
  const { respond, asked, open } = gate("hang");
  provider.respond(respond);
  const reader = read();
  await asked;
  provider.respond(undefined);
  await holdfast.reload();
  open();
  expect((await reader).status).toBe(200);
  expect((await read()).json.credentials.access_token).toBe(grant.accessToken);
  expect((await log()).map(({ outcome }) => outcome)).toEqual(["unknown", "refreshed"]);
});
