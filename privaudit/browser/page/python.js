// Python in its worker: starts it, sends requests, and does for it what only a page can.

// An error in three sentences: what happened, why, what to do next.
export class PageError extends Error {
  constructor({ name, what, why, next }) {
    super(what);
    Object.assign(this, { name, what, why, next });
  }
}

export class Python {
  #worker;
  #requests = new Map();
  #last = 0;
  #serve;

  // `serve` has the methods that the worker calls, and `tell`. The worker's code is in `parts` too.
  constructor(parts, serve) {
    this.#serve = serve;
    const { "worker.js": code, ...files } = parts;
    const address = URL.createObjectURL(new Blob([code], { type: "text/javascript" }));
    this.#worker = new Worker(address);
    URL.revokeObjectURL(address);
    this.ready = new Promise((done, fail) => {
      this.#worker.onerror = (event) => fail(new Error(event.message));
      this.#worker.onmessage = ({ data }) => {
        if (data.ready !== undefined) data.ready ? done() : fail(new Error(data.why));
        else this.#hear(data);
      };
    });
    this.ready.catch(() => {}); // whoever asks gets the error
    this.#worker.postMessage({ start: files });
  }

  #hear(data) {
    if (data.tell) {
      this.#serve.tell(data.tell, data.text);
    } else if (data.call) {
      this.#serveCall(data);
    } else {
      const request = this.#requests.get(data.id);
      this.#requests.delete(data.id);
      if (data.crash) return request.fail(new Error(data.crash));
      const { value, error } = JSON.parse(data.json);
      if (error) request.fail(new PageError(error));
      else request.done(data.file ? { ...value, data: data.file } : value);
    }
  }

  async #serveCall({ call, method, args }) {
    try {
      this.#worker.postMessage({ reply: call, value: await this.#serve[method](...args) });
    } catch (error) {
      this.#worker.postMessage({ reply: call, error: { name: error.name, message: error.message } });
    }
  }

  // Sends a request of PageSession; rejects with PageError.
  async ask(name, args = {}, bytes = undefined) {
    await this.ready;
    return new Promise((done, fail) => {
      this.#requests.set(++this.#last, { done, fail });
      this.#worker.postMessage({ id: this.#last, name, args: JSON.stringify(args), bytes });
    });
  }

  // Ends Python, and with it everything that it has read.
  stop() {
    this.#worker.terminate();
    for (const { fail } of this.#requests.values()) fail(new DOMException("stopped", "AbortError"));
    this.#requests.clear();
  }
}
