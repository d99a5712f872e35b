// Applies the migrations to the local D1, where `npm run dev` finds them.
import { pathToFileURL } from "node:url";
import { option } from "./project.mjs";
import { must, wrangler } from "./run.mjs";
import { setUp } from "./setup.mjs";

/** The step that migrates the database below `persistTo`, wrangler's own folder by default. */
export function localMigrations(persistTo) {
  const place = persistTo ? ["--persist-to", persistTo] : [];
  const apply = wrangler("d1", "migrations", "apply", "DB", "--local", ...place);
  return {
    name: "Migrations of the local D1",
    async take() {
      const output = await must("The migrations of the local D1 failed", ...apply);
      return output.includes("No migrations to apply") ? "up to date" : "applied";
    },
  };
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const persistTo = option(process.argv, "--persist-to");
  await setUp({ then: [localMigrations(persistTo)] });
}
