// The page's side of the worker.

export class Runner {
  /** progress: Called with the bytes that have been loaded. */
  constructor(progress) {
    this.waiting = new Map();
    this.calls = 0;
    this.worker = new Worker(new URL("worker.js", import.meta.url), { type: "module" });
    this.worker.onmessage = ({ data }) => (data.id === undefined ? progress(data.loaded) : this.settle(data));
    this.worker.onerror = () => this.fail("worker.js does not run: reload the page, or use a newer browser.");
  }

  /** what: Number of threads, and digest of the generator. */
  load(what) {
    return this.call("load", what);
  }

  /** Generate images, and return their RGBA bytes and the milliseconds. */
  generate(what) {
    return this.call("generate", what);
  }

  call(call, what) {
    return new Promise((resolve, reject) => {
      this.calls += 1;
      this.waiting.set(this.calls, { resolve, reject });
      this.worker.postMessage({ id: this.calls, call, ...what });
    });
  }

  settle({ id, error, ...result }) {
    const { resolve, reject } = this.waiting.get(id);
    this.waiting.delete(id);
    if (error) reject(new Error(error));
    else resolve(result);
  }

  fail(sentence) {
    for (const { reject } of this.waiting.values()) reject(new Error(sentence));
    this.waiting.clear();
  }
}
