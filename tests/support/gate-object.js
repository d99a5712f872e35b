// A Durable Object that writes and calls out at once, with nothing awaited in between.
export class GateObject {
  constructor({ storage }) {
    this.storage = storage;
    storage.sql.exec("create table if not exists probe (n integer primary key)");
  }

  async fetch(request) {
    const { n, url, inTransaction } = await request.json();
    const write = () => this.storage.sql.exec("insert into probe values (?)", n);
    const call = () => fetch(`${url}/${n}`).then((response) => response.text());
    if (!inTransaction) {
      write();
      return new Response(await call());
    }
    // Nothing is durable before the end of the transaction, which comes after the call.
    const text = await this.storage.transaction(() => {
      write();
      return call();
    });
    return new Response(text);
  }
}

export default {
  fetch: (request, env) => env.GATE.getByName("one").fetch(request),
};
