// The Worker as processes of its own with state on disk, so that they can be killed and started
// again on what they left. Run as a program, this file is the first of these processes.
import { fork } from "node:child_process";
import { once } from "node:events";
import { copyFileSync, existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";

const here = fileURLToPath(import.meta.url);
const path = (name) => fileURLToPath(new URL(`../../${name}`, import.meta.url));

/** A new folder for state, to be removed by whoever asked. */
export const stateFolder = () => mkdtempSync(join(tmpdir(), "holdfast-state-"));

/** Starts the Worker on `state` and resolves to `{ url, kill }` when it listens. */
export async function startService(state, secrets) {
  // A process group of its own, so that one signal reaches workerd and what started it alike.
  const child = fork(here, [state], {
    detached: true,
    env: { ...process.env, SERVICE_SECRETS: JSON.stringify(secrets) },
    stdio: ["ignore", "ignore", "ignore", "ipc"],
  });
  const exited = once(child, "exit");
  const started = await Promise.race([once(child, "message"), exited]);
  if (!started[0]?.url) throw new Error(`the service did not start: ${JSON.stringify(started)}`);

  return {
    url: started[0].url,
    /** Kills every process of the service with SIGKILL, and waits until they are gone. */
    async kill() {
      if (child.exitCode === null && child.signalCode === null) {
        process.kill(-child.pid, "SIGKILL");
        await exited;
      }
      while (isListed(-child.pid)) await sleep(5);
    },
  };
}

// Whether a process has the id, or with a negative one is in the group, and still runs.
function isListed(pid) {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  // The dead that nobody has waited for are listed too; only Linux says which they are.
  const states = existsSync("/proc/self/stat") ? groupStates(-pid) : [];
  return !states.every((state) => state === "Z");
}

function groupStates(group) {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        const stat = readFileSync(`/proc/${name}/stat`, "utf8").split(") ")[1].split(" ");
        return Number(stat[2]) === group ? [stat[0]] : [];
      } catch {
        return [];
      }
    });
}

/** What the journals on disk hold: `{ intent }` or `{ pair }` by the connection's uid. */
export function journalsOnDisk(state) {
  const entries = rowsOnDisk(join(state, "do"), "select entry from journal");
  const parsed = entries.map(({ entry }) => JSON.parse(entry));
  return new Map(parsed.map((entry) => [(entry.intent ?? entry.pair.intent).uid, entry]));
}

/** How many rows the journals on disk have, over how many objects that have one. */
export function journalSizes(state) {
  const counts = rowsOnDisk(join(state, "do"), "select count(*) as count from journal");
  return { objects: counts.length, rows: counts.reduce((sum, { count }) => sum + count, 0) };
}

/** The rows of a query to D1, as it is on disk. */
export const recordOnDisk = (state, query) => rowsOnDisk(join(state, "d1"), query);

/** The rows of a query to every database below `folder`, as they are on disk. */
export function rowsOnDisk(folder, query) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true })
    .filter((name) => /^(?!.*metadata).*\.sqlite$/.test(name))
    .flatMap((name) => rows(join(folder, name), query));
}

// From a copy with its log of writes: whoever opens a database that has one, changes it.
function rows(file, query) {
  const folder = mkdtempSync(join(tmpdir(), "holdfast-copy-"));
  try {
    copyFileSync(file, join(folder, "db"));
    if (existsSync(`${file}-wal`)) copyFileSync(`${file}-wal`, join(folder, "db-wal"));
    const database = new DatabaseSync(join(folder, "db"));
    const result = database.prepare(query).all();
    database.close();
    return result;
  } catch (error) {
    if (/no such table/.test(error.message)) return [];
    throw error;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function serve(state) {
  const { Miniflare, convertV4MiniflareOptions } = await import("miniflare");
  const folder = path("build/worker-output");
  const isModule = (name) => /\.(js|wasm)$/.test(name);
  const entryFirst = (one, other) => Number(other === "index.js") - Number(one === "index.js");
  const config = readFileSync(path("wrangler.toml"), "utf8");
  const options = convertV4MiniflareOptions({
    bindings: JSON.parse(process.env.SERVICE_SECRETS),
    compatibilityDate: /^compatibility_date = "([^"]+)"/m.exec(config)[1],
    d1Databases: { DB: "holdfast" },
    durableObjects: { REFRESH: { className: "RefreshObject", useSQLite: true } },
    host: "127.0.0.1",
    modules: readdirSync(folder)
      .filter(isModule)
      .sort(entryFirst)
      .map((name) => ({
        type: name.endsWith(".wasm") ? "CompiledWasm" : "ESModule",
        path: join(folder, name),
      })),
    modulesRoot: folder,
    name: "holdfast",
    resourcePersistencePath: state,
  });
  const service = new Miniflare(options);
  process.on("disconnect", () => service.dispose().finally(() => process.exit()));
  const url = await service.ready;
  const database = await service.getD1Database("DB");
  const tables = "select name from sqlite_master where name = 'connection'";
  if (!(await database.prepare(tables).first())) {
    const { unstable_splitSqlQuery: split } = await import("wrangler");
    for (const name of readdirSync(path("migrations")).sort()) {
      const statements = split(readFileSync(path(`migrations/${name}`), "utf8"));
      await database.batch(statements.map((statement) => database.prepare(statement)));
    }
  }
  process.send({ url: url.origin });
}

if (process.argv[1] === here) await serve(process.argv[2]);
