// The published client of the API that holdfast is compatible with, unmodified, method by method.
import { Nango } from "@nangohq/node";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { startHarness } from "../support/harness.mjs";

let holdfast;
let nango;
let key;

beforeAll(async () => {
  holdfast = await startHarness();
});
afterAll(() => holdfast?.close());

beforeEach(async () => {
  ({ key } = await holdfast.createEnvironment());
  nango = new Nango({ host: holdfast.url, secretKey: key });
  await nango.createIntegration({
    provider: "github",
    unique_key: "github",
    credentials: { type: "OAUTH2", client_id: "fake-id", client_secret: "fake-secret" },
  });
});

// The client has no method to import, so this is a plain request.
async function imported(connection_id, more = {}) {
  const answer = await holdfast.fetch("/connections", {
    method: "POST",
    key,
    body: {
      provider_config_key: "github",
      connection_id,
      credentials: { type: "OAUTH2", access_token: `fake-token-of-${connection_id}` },
      ...more,
    },
  });
  expect(answer.status).toBe(200);
  return answer.json;
}

test("listConnections finds by id, search and end user", async () => {
  await imported("alice-1", { end_user: { id: "alice", display_name: "Alice Liddell" } });
  await imported("bob-1");
  const ids = async (...args) =>
    (await nango.listConnections(...args)).connections.map((it) => it.connection_id);
  expect(await ids()).toEqual(["bob-1", "alice-1"]);
  expect(await ids("bob-1")).toEqual(["bob-1"]);
  expect(await ids(undefined, "liddell")).toEqual(["alice-1"]);
  expect(await ids(undefined, undefined, { endUserId: "alice" })).toEqual(["alice-1"]);
  expect(await ids(undefined, undefined, { limit: 1, page: 1 })).toEqual(["alice-1"]);
});

test("listConnections with an object finds by user, integration and tags", async () => {
  await imported("alice-1", { end_user: { id: "alice" }, tags: { plan: "pro" } });
  await imported("bob-1", { end_user: { id: "bob", email: "bob@example.com" } });
  const ids = async (filter) =>
    (await nango.listConnections(filter)).connections.map((it) => it.connection_id);
  expect(await ids({ userId: "bob" })).toEqual(["bob-1"]);
  expect(await ids({ connectionId: "alice-1" })).toEqual(["alice-1"]);
  expect(await ids({ integrationId: ["github", "slack"] })).toEqual(["bob-1", "alice-1"]);
  expect(await ids({ integrationId: "slack" })).toEqual([]);
  expect(await ids({ tags: { Plan: "pro" } })).toEqual(["alice-1"]);
  expect(await ids({ tags: { email: "bob@example.com" } })).toEqual(["bob-1"]);
});

test("getConnection gives the connection with its credentials", async () => {
  await imported("alice-1", { metadata: { team: "red" } });
  expect(await nango.getConnection("github", "alice-1")).toMatchObject({
    connection_id: "alice-1",
    provider_config_key: "github",
    provider: "github",
    metadata: { team: "red" },
    credentials: { type: "OAUTH2", access_token: "fake-token-of-alice-1" },
  });
});

test("getConnection of an unknown connection fails with the documented code", async () => {
  const failure = await nango.getConnection("github", "nobody").catch((error) => error);
  expect(failure.response.status).toBe(404);
  expect(failure.response.data.error.code).toBe("not_found");
});

test("getToken gives the token as a text", async () => {
  await imported("alice-1");
  expect(await nango.getToken("github", "alice-1")).toBe("fake-token-of-alice-1");
});

test("getRawTokenResponse gives what was imported", async () => {
  await imported("alice-1");
  const raw = await nango.getRawTokenResponse("github", "alice-1");
  expect(raw).toMatchObject({ access_token: "fake-token-of-alice-1" });
});

test("getMetadata gives the metadata alone", async () => {
  await imported("alice-1", { metadata: { a: 1 } });
  expect(await nango.getMetadata("github", "alice-1")).toEqual({ a: 1 });
});

test("setMetadata replaces the metadata", async () => {
  await imported("alice-1", { metadata: { a: 1 } });
  const set = await nango.setMetadata("github", "alice-1", { b: 2, c: { d: [1] } });
  expect(set.data).toMatchObject({ metadata: { b: 2 } });
  expect(await nango.getMetadata("github", "alice-1")).toEqual({ b: 2, c: { d: [1] } });
});

test("updateMetadata merges into the metadata of many connections", async () => {
  await imported("alice-1", { metadata: { a: 1, b: 2 } });
  await imported("alice-2");
  await nango.updateMetadata("github", ["alice-1", "alice-2"], { b: null, c: "d" });
  expect(await nango.getMetadata("github", "alice-1")).toEqual({ a: 1, b: null, c: "d" });
  expect(await nango.getMetadata("github", "alice-2")).toEqual({ b: null, c: "d" });
});

test("patchConnection replaces end user and tags", async () => {
  await imported("alice-1");
  const params = { connectionId: "alice-1", provider_config_key: "github" };
  const patch = { end_user: { id: "alice", email: "alice@example.com" }, tags: { plan: "pro" } };
  expect(await nango.patchConnection(params, patch)).toEqual({ success: true });
  expect(await nango.getConnection("github", "alice-1")).toMatchObject({
    end_user: { id: "alice", email: "alice@example.com" },
    tags: { end_user_id: "alice", plan: "pro" },
  });
});

test("deleteConnection deletes for good", async () => {
  await imported("alice-1");
  expect((await nango.deleteConnection("github", "alice-1")).data).toEqual({ success: true });
  expect((await nango.listConnections()).connections).toEqual([]);
});

test("waitForConnection gives the end user's connection", async () => {
  await imported("alice-1", { end_user: { id: "alice" } });
  const connection = await nango.waitForConnection("github", "alice");
  expect(connection.connection_id).toBe("alice-1");
});

test("listProviders searches the catalogue", async () => {
  const { data } = await nango.listProviders({ search: "hubs" });
  expect(data).toHaveLength(1);
  expect(data[0]).toMatchObject({ name: "hubspot", display_name: "HubSpot", auth_mode: "OAUTH2" });
});

test("getProvider gives an entry of the catalogue", async () => {
  const { data } = await nango.getProvider({ provider: "slack" });
  expect(data).toMatchObject({ name: "slack", auth_mode: "OAUTH2" });
});

test("listIntegrations gives the integrations of the environment", async () => {
  const { configs } = await nango.listIntegrations();
  expect(configs).toMatchObject([{ unique_key: "github", provider: "github" }]);
});

test("getIntegration includes credentials when asked", async () => {
  const { data } = await nango.getIntegration({ uniqueKey: "github" }, { include: ["credentials"] });
  expect(data).toMatchObject({
    unique_key: "github",
    display_name: "GitHub",
    credentials: { type: "OAUTH2", client_id: "fake-id", client_secret: "fake-secret" },
  });
});

const mine = { provider: "private-api-bearer", unique_key: "mine", display_name: "Mine" };

test("createIntegration creates one", async () => {
  const created = await nango.createIntegration(mine);
  expect(created.data).toMatchObject({ unique_key: "mine", display_name: "Mine" });
  expect((await nango.listIntegrations()).configs).toHaveLength(2);
});

test("updateIntegration renames one", async () => {
  await nango.createIntegration(mine);
  const change = { unique_key: "ours", display_name: "Ours" };
  const updated = await nango.updateIntegration({ uniqueKey: "mine" }, change);
  expect(updated.data).toMatchObject({ unique_key: "ours", display_name: "Ours" });
});

test("deleteIntegration deletes one", async () => {
  await nango.createIntegration(mine);
  expect((await nango.deleteIntegration("mine")).data).toEqual({ success: true });
  expect((await nango.listIntegrations()).configs).toHaveLength(1);
});
