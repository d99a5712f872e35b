// Kills the service again and again while it refreshes, and compares what the provider issued with
// what it holds when it is back.
import { rmSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { secrets } from "./harness.mjs";
import { startRotatingProvider } from "./rotating-provider.mjs";
import { ask, force, importGrants } from "./service-calls.mjs";
import { journalsOnDisk, recordOnDisk, startService, stateFolder } from "./service-process.mjs";

/**
 * Kills and restarts until `isOver(report)`, and resolves to the report.
 *
 * What is fair to ask: an answer that was on its way when the process died is lost by nature, and
 * a provider that revokes on reuse leaves nothing to do about that. So after each kill, the
 * journals are read from disk. Where one says that the provider was asked and has no pair, the
 * provider forgives one use of the refresh token before its last one, and the attempt must end up
 * on record as unknown. Everywhere else it forgives nothing: the pair had reached us.
 *
 * - `connections`: how many, each with a grant of which reuse revokes;
 * - `readers`: how many callers read at any time; one for each connection forces refreshes;
 * - `longest`: milliseconds until a kill, at most.
 */
export async function surviveKills({
  connections,
  readers,
  longest = 2000,
  isOver,
  onRound = () => {},
}) {
  const state = stateFolder();
  const provider = await startRotatingProvider();
  const report = {
    rounds: 0,
    tokenCalls: 0,
    issued: 0,
    keptByJournal: 0,
    cutOff: 0,
    answersLost: 0,
    unknownRecorded: 0,
    pairsLost: 0,
    reuses: 0,
    alive: 0,
    connections,
  };
  // Answers take as long as those of a provider do, so that kills meet calls under way.
  provider.respond(() => sleep(Math.random() * 100));
  let service = await startService(state, secrets);
  try {
    const names = Array.from({ length: connections }, (_, at) => `c-${at}`);
    const grants = new Map(names.map((name) => [name, provider.issueGrant()]));
    await importGrants(service.url, provider.url, grants);
    const uids = uidsOnDisk(state);

    while (!isOver(report)) {
      await loadUntilKilled(service, names, readers, longest);
      const journals = journalsOnDisk(state);
      const cutOff = [];
      for (const [uid, entry] of journals) {
        const grant = grants.get(uids.get(uid));
        if (entry.pair) report.keptByJournal += 1;
        else cutOff.push({ grant, attempt: entry.intent.attempt });
      }
      provider.forgive(cutOff.map(({ grant }) => grant));
      const forgiven = provider.forgiven();

      service = await startService(state, secrets);
      for (const name of names) {
        const { access_token, refresh_token } = await force(service.url, name);
        const grant = grants.get(name);
        const agrees = access_token === grant.accessToken && refresh_token === grant.refreshToken;
        if (!agrees) report.pairsLost += 1;
      }
      const recorded = countRecorded(state, cutOff);
      report.rounds += 1;
      report.cutOff += cutOff.length;
      report.answersLost += provider.forgiven() - forgiven;
      report.unknownRecorded += recorded;
      report.tokenCalls = provider.calls.length;
      report.issued = provider.issued() - connections;
      report.reuses = provider.reuses();
      report.alive = [...grants.values()].filter(({ isAlive }) => isAlive).length;
      onRound(report);
    }
    return report;
  } finally {
    await service.kill();
    await provider.close();
    rmSync(state, { recursive: true });
  }
}

// Callers that go on until the service is gone, which is after a random time.
async function loadUntilKilled(service, names, readers, longest) {
  let isKilled = false;
  const untilKilled = async (call) => {
    while (!isKilled) await call().catch(() => undefined);
  };
  const anyName = () => names[Math.floor(Math.random() * names.length)];
  // One in ten calls of a reader forces a refresh too, so that these meet.
  const read = () =>
    Math.random() < 0.1 ? force(service.url, anyName()) : ask(service.url, anyName(), "");
  const callers = [
    ...names.map((name) => untilKilled(() => force(service.url, name))),
    ...Array.from({ length: readers }, () => untilKilled(read)),
  ];
  await sleep(200 + Math.random() * (longest - 200));
  await service.kill();
  isKilled = true;
  await Promise.all(callers);
}

function uidsOnDisk(state) {
  const rows = recordOnDisk(state, "select uid, connection_id from connection");
  return new Map(rows.map(({ uid, connection_id }) => [uid, connection_id]));
}

// How many of the attempts that were cut off are on record as that.
function countRecorded(state, cutOff) {
  const query = "select id from refresh_log where outcome = 'unknown'";
  const recorded = new Set(recordOnDisk(state, query).map(({ id }) => id));
  return cutOff.filter(({ attempt }) => recorded.has(attempt)).length;
}
