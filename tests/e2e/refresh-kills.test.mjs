// The process dies under load and comes back on what it left. `npm run soak` does it for longer.
import { expect, test } from "vitest";
import { surviveKills } from "../support/kills.mjs";

// Row 11.
test("killed under load and restarted, every pair that had arrived is there", { timeout: 90_000 }, async () => {
  const report = await surviveKills({
    connections: 8,
    readers: 8,
    isOver: ({ rounds }) => rounds === 3,
  });
  expect(report).toMatchObject({ alive: 8, pairsLost: 0, reuses: 0, rounds: 3 });
  expect(report.unknownRecorded).toBe(report.cutOff);
  expect(report.issued).toBeGreaterThan(24);
});
