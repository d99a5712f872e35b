// What is on disk, seen by another process, at the moment in which the provider is asked.
import { once } from "node:events";
import { readFileSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { Miniflare, convertV4MiniflareOptions } from "miniflare";
import { afterEach, beforeEach, expect, test } from "vitest";
import { eventually } from "../support/refreshing.mjs";
import { secrets } from "../support/harness.mjs";
import { gate, startRotatingProvider } from "../support/rotating-provider.mjs";
import { ask, force, importGrants } from "../support/service-calls.mjs";
import {
  journalSizes,
  journalsOnDisk,
  recordOnDisk,
  rowsOnDisk,
  startService,
  stateFolder,
} from "../support/service-process.mjs";

let state;
beforeEach(() => {
  state = stateFolder();
});
afterEach(() => rmSync(state, { recursive: true }));

test("100 times over, the intent is on disk before the provider is asked, and nothing stays", async () => {
  const provider = await startRotatingProvider();
  const service = await startService(state, secrets);
  try {
    const grant = provider.issueGrant();
    await importGrants(service.url, provider.url, new Map([["c", grant]]));
    const seen = [];
    provider.respond(() => {
      seen.push([...journalsOnDisk(state).values()].map((entry) => Object.keys(entry)[0]));
    });
    for (let round = 0; round < 100; round += 1) {
      expect((await force(service.url, "c")).access_token).toBe(grant.accessToken);
    }
    expect(seen).toEqual(Array.from({ length: 100 }, () => ["intent"]));
    const sizes = await eventually(() => journalSizes(state), ({ rows }) => rows === 0);
    expect(sizes).toEqual({ objects: 1, rows: 0 });
  } finally {
    await service.kill();
    await provider.close();
  }
});

// Nobody asks afterwards: what is stored was stored by the refresh that its caller left.
test("a caller that hangs up cancels nothing of the refresh that it began", async () => {
  const provider = await startRotatingProvider();
  const service = await startService(state, secrets);
  try {
    await importGrants(service.url, provider.url, new Map([["c", provider.issueGrant()]]));
    const { respond, asked, open } = gate();
    provider.respond(respond);
    const caller = new AbortController();
    const reader = ask(service.url, "c", "", caller.signal);
    await asked;
    caller.abort();
    await expect(reader).rejects.toThrow("aborted");
    open();
    const version = "select credentials_version as version from connection";
    const isStored = ([{ version }]) => version === 2;
    await eventually(() => recordOnDisk(state, version), isStored);
    expect(provider.calls).toHaveLength(1);
  } finally {
    await service.kill();
    await provider.close();
  }
});

// An object that awaits nothing between the write and the call: what holds the call back is the
// runtime. The transaction is the counter-check: there the same look at the disk finds nothing.
test.each([
  ["a write is on disk before a call that follows it leaves", false],
  ["a write in a transaction that is still open is not", true],
])("%s", async (_, inTransaction) => {
  const seen = [];
  const outside = createServer((request, response) => {
    const n = Number(request.url.slice(1));
    const rows = rowsOnDisk(join(state, "do"), `select n from probe where n = ${n}`);
    seen.push(rows.length === 1);
    response.end("ok");
  }).listen(0, "127.0.0.1");
  await once(outside, "listening");
  const options = convertV4MiniflareOptions({
    compatibilityDate: "2026-10-01",
    durableObjects: { GATE: { className: "GateObject", useSQLite: true } },
    modules: [
      {
        type: "ESModule",
        path: "gate-object.js",
        contents: readFileSync(new URL("../support/gate-object.js", import.meta.url), "utf8"),
      },
    ],
    resourcePersistencePath: state,
  });
  const object = new Miniflare(options);
  try {
    const to = await object.ready;
    const url = `http://127.0.0.1:${outside.address().port}`;
    for (let n = 0; n < 100; n += 1) {
      const body = JSON.stringify({ n, url, inTransaction });
      expect(await (await fetch(to, { method: "POST", body })).text()).toBe("ok");
    }
    expect(new Set(seen)).toEqual(new Set([!inTransaction]));
    expect(seen).toHaveLength(100);
  } finally {
    await object.dispose();
    outside.close();
  }
});
