// holdfast and a provider that keeps grants, with what tests of refreshing ask of the two.
import { randomUUID } from "node:crypto";
import { expect } from "vitest";
import { keys, startHarness } from "./harness.mjs";
import { expiredCredentials, providerEntry, startRotatingProvider } from "./rotating-provider.mjs";

/** Starts both, and resolves to `{ holdfast, provider, connect, setFaults, steps, close }`. */
export async function startRefreshing({ faults = false, ...options } = {}) {
  const holdfast = await startHarness({ faults });
  const provider = await startRotatingProvider(options);
  // Asked for each time: new code, too, makes these anew.
  const bindings = () => holdfast.worker.getEnv();
  const query = async (text, value) =>
    (await (await bindings()).DB.prepare(text).bind(value).all()).results;

  /**
   * A connection in an environment of its own, at a provider entry of its own that says of rotation
   * what is true, and has the fields of `entry` beside the usual ones. `expires_at` says when its first token ends: long ago by default.
   */
  async function connect({ rotation = "reuse_revokes", entry = {}, expires_at } = {}) {
    const name = `provider-${randomUUID()}`;
    const { key } = await holdfast.createEnvironment();
    await succeed("PUT", `/providers/${name}`, keys.account, {
      ...providerEntry(provider.url),
      rotation: rotation === "grace" ? { grace: 60 } : rotation,
      ...entry,
    });
    await succeed("POST", "/integrations", key, {
      provider: name,
      unique_key: "it",
      credentials: { type: "OAUTH2", client_id: "fake-client", client_secret: "fake-secret" },
    });
    const send = (method, path, body) => holdfast.fetch(path, { method, key, body });
    const address = (id) => `/connections/${id}?provider_config_key=it`;

    /** Imports `grant`, over what is there under the name. */
    const importGrant = (grant, connection_id = "c", ends = expires_at) =>
      succeed("POST", "/connections", key, {
        provider_config_key: "it",
        connection_id,
        credentials: {
          type: "OAUTH2",
          ...expiredCredentials(grant),
          ...(ends && { expires_at: ends }),
        },
      });

    const grant = provider.issueGrant(rotation);
    const { id } = (await importGrant(grant)).json;
    const [{ uid }] = await query("select uid from connection where id = ?1", id);

    const object = async (method) =>
      (await bindings()).REFRESH.getByName(uid).fetch("https://object/fault-control", { method });

    return {
      grant,
      key,
      uid,
      send,
      importGrant,
      url: (query = "") => `${holdfast.url}${address("c")}${query}`,
      /** Reads the connection `id`; `query` begins with `&`. */
      read: (query = "", id = "c") => send("GET", `${address(id)}${query}`),
      force: (id = "c") => send("GET", `${address(id)}&force_refresh=true&refresh_token=true`),
      remove: () => send("DELETE", address("c")),
      /** The row of the connection, if there is one. */
      row: async () => (await query("select * from connection where uid = ?1", uid))[0],
      /** What is in the log of its refreshes, oldest first. */
      log: () =>
        query("select * from refresh_log where connection = ?1 order by started_at, rowid", id),
      /** What the journal of the object holds, parsed; none if it is empty. */
      async journal() {
        const storage = await holdfast.worker.getDurableObjectStorage("REFRESH", { name: uid });
        const tables = await storage.exec("select name from sqlite_master where name = 'journal'");
        if (tables.length === 0) return [];
        const rows = await storage.exec("select entry from journal");
        return rows.map(({ entry }) => JSON.parse(entry));
      },
      /** Ends the object as the runtime may at any time: its memory is gone, its storage stays. */
      evict: () => holdfast.worker.evictDurableObject("REFRESH", { name: uid }),
      /** The same in the middle of its work, which needs the build with faults. */
      abort: () => object("DELETE").catch(() => undefined),
      /** Lets the object's alarm go off now; it must be set. Needs the build with faults. */
      async ring() {
        expect(await (await object("POST")).json()).not.toBe(null);
      },
    };
  }

  async function succeed(method, path, key, body) {
    const answer = await holdfast.fetch(path, { method, key, body });
    expect(answer.status, answer.text).toBe(200);
    return answer;
  }

  /** Replaces all faults, or with no arguments takes them away. Needs the build with faults. */
  const setFaults = (...list) =>
    holdfast.fetch("/fault-control", { method: "PUT", key: null, body: list });

  /** The steps that were reached since faults were set, in order. */
  const steps = async () => (await holdfast.fetch("/fault-control", { key: null })).json.passed;

  async function close() {
    await holdfast.close();
    await provider.close();
  }

  return { holdfast, provider, connect, setFaults, steps, close };
}

/** Asks until `ready` says yes of the answer, and gives that; fails after `seconds`. */
export async function eventually(ask, ready, seconds = 10) {
  const end = Date.now() + seconds * 1000;
  for (;;) {
    const answer = await ask();
    if (ready(answer)) return answer;
    if (Date.now() > end) throw new Error(`not within ${seconds} s: ${JSON.stringify(answer)}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
