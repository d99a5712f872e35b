// Looks for known vulnerabilities in the dependencies; apart from the tests, since it goes online.
import { run, stop } from "./run.mjs";
import { setUp } from "./setup.mjs";

await setUp({ tests: true });
const { code, output } = await run("cargo", ["deny", "--locked", "check", "advisories"]);
if (/failed to (fetch|clone|load) advisory database/i.test(output)) {
  stop("Nothing was checked: the advisory database is out of reach, this machine seems offline");
}
console.log(output.trim());
process.exitCode = code === 0 ? 0 : 1;
