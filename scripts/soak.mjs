// Kills the service for minutes while it refreshes: 20 rounds over many connections, then 1,000
// rotations of one grant of which reuse revokes. Options: --rounds, --rotations.
import { fileURLToPath } from "node:url";
import { build } from "./build.mjs";
import { option, path, projectNode } from "./project.mjs";
import { must, start, wrangler } from "./run.mjs";
import { setUp } from "./setup.mjs";

const args = process.argv.slice(2);
if (process.execPath === projectNode) {
  await soak();
} else {
  // The system's Node may be too old for the tests.
  const bundle = wrangler("deploy", "--dry-run", "--outdir", path("build", "worker-output"));
  await setUp({
    then: [
      { name: "Worker", take: build },
      {
        name: "Bundle",
        take: async () => void (await must("The Worker cannot be bundled", ...bundle)),
      },
    ],
  });
  process.exitCode = await start(projectNode, [fileURLToPath(import.meta.url), ...args]).exited;
}

async function soak() {
  const rounds = Number(option(args, "--rounds", "20"));
  const rotations = Number(option(args, "--rotations", "1000"));
  const { surviveKills } = await import("../tests/support/kills.mjs");
  const onRound = ({ rounds: round, issued, pairsLost, reuses }) =>
    console.log(`round ${round}: ${issued} pairs issued, ${pairsLost} lost, ${reuses} reuses`);

  console.log("20 connections, 20 readers");
  const many = await surviveKills({
    connections: 20,
    readers: 20,
    isOver: (report) => report.rounds >= rounds,
    onRound,
  });
  console.log("1 connection, 20 readers");
  const one = await surviveKills({
    connections: 1,
    readers: 20,
    longest: 5000,
    isOver: ({ issued }) => issued >= rotations,
    onRound,
  });

  console.table({ "20 connections": many, "1 connection": one });
  const isGood = (report) =>
    report.pairsLost === 0 &&
    report.reuses === 0 &&
    report.alive === report.connections &&
    report.unknownRecorded === report.cutOff;
  if (!isGood(many) || !isGood(one)) process.exitCode = 1;
}
