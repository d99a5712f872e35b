// The production build, unchanged, with faults put between it and the runtime.
//
// This is an entry of its own, bundled beside the production one and never deployed. A fault is
// `{ at, when, what, times }`:
//
// - `at`: a step of a refresh, in the object: `intent`, `call`, `pair`, `record`, `clear`, `alarm`
//   (the journal's first write, the provider, the journal's second write, the write to D1, the
//   journal's last write, the alarm being set), or `read`, a batch to D1 that writes nothing;
// - `when`: `before` or `after` the step;
// - `what`: `fail` the step, or `evict` the object: its memory and what it was about to do are gone;
// - `times`: how often; 1 unless told.
import { DurableObject, WorkerEntrypoint } from "cloudflare:workers";
import Service, { RefreshObject as Production } from "../../../build/index.js";

// A Worker and its objects share an isolate here, and so the faults.
let faults = [];
// The object that an event is being handled in; tests with faults refresh one at a time.
let current;
const passed = [];

export default class extends WorkerEntrypoint {
  constructor(ctx, env) {
    super(ctx, env);
    this.service = new Service(ctx, env);
  }

  async fetch(request) {
    if (new URL(request.url).pathname !== CONTROL) return this.service.fetch(request);
    if (request.method === "PUT") {
      faults = await request.json();
      passed.length = 0;
    }
    return Response.json({ faults, passed });
  }

  scheduled(controller) {
    return this.service.scheduled(controller);
  }
}

const CONTROL = "/fault-control";

// A `DurableObject`, unlike the production class: so tests can look into its storage.
export class RefreshObject extends DurableObject {
  constructor(ctx, env) {
    super(ctx, env);
    const database = through(env.DB, { batch: (run, list) => step(writes(list), () => run(list)) });
    const inner = { ctx: through(ctx, { storage: storage(ctx) }), env: through(env, { DB: database }) };
    this.production = new Production(inner.ctx, inner.env);
  }

  fetch(request) {
    current = this.ctx;
    if (new URL(request.url).pathname !== CONTROL) return this.production.fetch(request);
    return request.method === "DELETE" ? this.ctx.abort("evicted by a test") : this.ring();
  }

  // Lets an alarm that is set go off now.
  async ring() {
    const time = await this.ctx.storage.getAlarm();
    if (time !== null) await this.ctx.storage.setAlarm(Date.now());
    return Response.json(time);
  }

  alarm(info) {
    current = this.ctx;
    passed.push("alarm ran");
    return this.production.alarm(info);
  }
}

function storage({ storage }) {
  const sql = through(storage.sql, {
    exec: (run, text, ...values) => stepNow(journalled(text, values), () => run(text, ...values)),
  });
  return through(storage, {
    sql,
    setAlarm: (run, ...values) => step("alarm", () => run(...values)),
  });
}

const call = globalThis.fetch;
globalThis.fetch = (...values) =>
  step("call", async () => {
    const answer = await call(...values);
    const body = await answer.arrayBuffer();
    return new Response(body, answer);
  });

const isWrite = /^\s*(with\b[\s\S]*\b)?(insert|update|delete|replace)\b/i;

// A statement of D1 carries its text as `statement`.
function writes(statements) {
  return statements.some(({ statement }) => isWrite.test(statement)) ? "record" : "read";
}

function journalled(text, values) {
  if (/^\s*delete/i.test(text)) return "clear";
  if (!isWrite.test(text)) return undefined;
  return values.some((value) => String(value).includes('"pair"')) ? "pair" : "intent";
}

// What happens before or after a step that can be waited for. Whatever the object wrote earlier is
// made durable before it is evicted, as it would be in the course of time.
async function step(name, run) {
  await takePlace(name, "before");
  const result = await run();
  await takePlace(name, "after");
  return result;
}

async function takePlace(name, when) {
  const fault = take(name, when);
  if (fault?.what === "evict") {
    await current.storage.sync();
    current.abort("evicted by a test");
  }
  if (fault) throw new Error(`a fault ${when} ${name}`);
}

// The same for a step that is over at once.
function stepNow(name, run) {
  takePlaceNow(name, "before");
  const result = run();
  takePlaceNow(name, "after");
  return result;
}

function takePlaceNow(name, when) {
  const fault = take(name, when);
  // Not from below the module: to end it in mid-step would break it for every other object.
  const object = current;
  if (fault?.what === "evict") queueMicrotask(() => object.abort("evicted by a test"));
  if (fault && (fault.what === "fail" || when === "before")) {
    throw new Error(`a fault ${when} ${name}`);
  }
}

function take(name, when) {
  if (name && when === "before") passed.push(name);
  const fault = faults.find(
    ({ at, when: its, times = 1 }) => at === name && its === when && times > 0,
  );
  if (fault) fault.times = (fault.times ?? 1) - 1;
  return fault;
}

// `target` with some members replaced: functions are called with the original, bound, and its
// arguments. Everything else is the target's own, its constructor too, by which bindings are told.
function through(target, replaced) {
  return new Proxy(target, {
    get(_, name) {
      const value = Reflect.get(target, name, target);
      const other = Object.hasOwn(replaced, name) ? replaced[name] : undefined;
      if (typeof other === "function") return (...values) => other(value.bind(target), ...values);
      if (other) return other;
      return typeof value === "function" && name !== "constructor" ? value.bind(target) : value;
    },
  });
}
