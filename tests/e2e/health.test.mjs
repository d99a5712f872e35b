import { afterAll, beforeAll, expect, test } from "vitest";
import { startHarness } from "../support/harness.mjs";

let holdfast;
beforeAll(async () => {
  holdfast = await startHarness();
});
afterAll(() => holdfast?.close());

test("a live service says so, to anyone", async () => {
  const answer = await holdfast.fetch("/health", { key: null });
  expect(answer).toMatchObject({ status: 200, json: { result: "ok" } });
});
