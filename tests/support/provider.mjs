// A provider on loopback that answers what a test tells it to, and remembers what it was asked.
import { once } from "node:events";
import { createServer } from "node:http";

/**
 * Starts a provider and resolves to `{ url, calls, respond, close }`.
 *
 * A call is `{ at, method, path, headers, body, form, hungUp }`, where `form` holds the body's pairs
 * if it was a form, and `hungUp` tells whether the caller has gone. `respond` takes what every later call gets: `{ status, headers, body }`, where a
 * body that is no string is sent as JSON, or a function from the call to that, which may take its
 * time, or `"hang"` for a call that is never answered.
 */
export async function startProvider() {
  const calls = [];
  let respond = { status: 404 };

  const server = createServer(async (request, response) => {
    const chunks = await Array.fromAsync(request);
    const body = Buffer.concat(chunks).toString();
    const isForm = request.headers["content-type"]?.startsWith("application/x-www-form-urlencoded");
    const { method, headers, url: path } = request;
    const form = isForm ? Object.fromEntries(new URLSearchParams(body)) : undefined;
    const hungUp = () => response.destroyed;
    const call = { at: Date.now(), method, path, headers, body, form, hungUp };
    calls.push(call);

    const answer = typeof respond === "function" ? await respond(call) : respond;
    if (answer === "hang" || hungUp()) return;
    const isText = typeof answer.body === "string" || answer.body === undefined;
    const contentType = isText ? "text/plain" : "application/json";
    response.writeHead(answer.status ?? 200, { "Content-Type": contentType, ...answer.headers });
    response.end(isText ? answer.body : JSON.stringify(answer.body));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");

  return {
    url: `http://127.0.0.1:${server.address().port}`,
    calls,
    respond(next) {
      respond = next;
    },
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}
