// Everything that must hold: `npm test` for all of it, or by name check, unit and e2e.
// One line a step, its output only when it fails or with --verbose, and the count at the end.
import { checks } from "./checks.mjs";
import { run } from "./run.mjs";
import { setUp } from "./setup.mjs";
import { seconds } from "./steps.mjs";

const args = process.argv.slice(2);
const verbose = args.includes("--verbose");
const wanted = args.filter((arg) => !arg.startsWith("-"));

await setUp({ tests: wanted.length === 0 || wanted.includes("check") });
const total = { passed: 0, failed: 0 };
const broken = new Set();
for (const check of checks.filter(({ part }) => wanted.length === 0 || wanted.includes(part))) {
  await take(check);
}
console.log(`${total.passed} passed, ${total.failed} failed`);
process.exitCode = total.failed > 0 ? 1 : 0;

// A step counts as one, unless it counts tests of its own.
async function take({ part, name, after, command, env, judge }) {
  const title = `${part.padEnd(5)}  ${name.padEnd(42)}`;
  if (broken.has(after)) {
    broken.add(name);
    console.log(`${title}  skipped, because not: ${after}`);
    return;
  }
  const started = performance.now();
  const ran = command ? await run(...command, { env }) : { code: 0, output: "" };
  const { passed = 0, failed = 0, word = "" } = judge?.(ran) ?? {};
  const ok = ran.code === 0 && failed === 0;
  total.passed += passed || (ok ? 1 : 0);
  total.failed += failed || (ok ? 0 : 1);
  if (!ok) broken.add(name);
  const result = ok ? "ok    " : "FAILED";
  console.log(`${title}  ${result}  ${seconds(started).padStart(7)}  ${word}`.trimEnd());
  if ((!ok || verbose) && ran.output) console.log(`\n${ran.output.trim()}\n`);
}
