// Puts one custom provider into a deployment, and judges the answer.
import { setTimeout as sleep } from "node:timers/promises";

const ANSWER_TIMEOUT_MILLIS = 60_000;
const MAX_ATTEMPTS = 5;
const LONGEST_WAIT_MILLIS = 120_000;

/** Why no other provider would fare better: nothing answers, or not to this key. */
export class UploadError extends Error {}

/**
 * Sends an entry and resolves to `{ loaded: true }`, to `{ skipped: issues }` if the deployment
 * refuses the entry, or to `{ failed: reason }` if it could not cope. Rejects with an
 * `UploadError` where trying the next provider makes no sense.
 */
export async function upload({ name, entry }, { url, key, isDryRun }) {
  const address = `${url}/providers/${encodeURIComponent(name)}${isDryRun ? "?dry_run=true" : ""}`;
  const { status, text } = await patiently(() => put(address, key, entry));
  if (status === 200) return { loaded: true };

  const error = parsed(text)?.error;
  const reason = `answered with ${status} ${error?.message ?? error?.code ?? ""}`.trim();
  const isRefusal = status === 400 || status === 413;
  if (isRefusal) return { skipped: error?.errors ?? [{ path: [], message: reason }] };
  if (status === 429 || status >= 500) return { failed: reason };
  throw new UploadError(`${url}: ${reason}`);
}

// Who says when to come again is asked again; nobody else is.
async function patiently(send) {
  for (let attempt = 1; ; attempt += 1) {
    const answer = await send();
    const isBusy = answer.status === 429 || answer.status === 503;
    if (!isBusy || answer.wait === undefined || attempt === MAX_ATTEMPTS) return answer;
    await sleep(answer.wait);
  }
}

async function put(address, key, entry) {
  try {
    const response = await fetch(address, {
      method: "PUT",
      headers: { Authorization: `Bearer ${key}`, "Content-Type": "application/json" },
      body: JSON.stringify(entry),
      redirect: "manual", // the key is for the address that was named
      signal: AbortSignal.timeout(ANSWER_TIMEOUT_MILLIS),
    });
    const wait = millisUntil(response.headers.get("Retry-After"));
    return { status: response.status, text: await response.text(), wait };
  } catch (error) {
    const { origin } = new URL(address);
    throw new UploadError(`${origin} does not answer: ${error.cause?.code ?? error.message}`);
  }
}

// RFC 9110 §10.2.3: seconds or a date. Nobody sits through a longer wait than the longest.
function millisUntil(retryAfter) {
  if (!retryAfter) return undefined;
  const isSeconds = /^\d+$/.test(retryAfter);
  const millis = isSeconds ? Number(retryAfter) * 1000 : Date.parse(retryAfter) - Date.now();
  return millis <= LONGEST_WAIT_MILLIS ? Math.max(millis, 0) : undefined;
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
