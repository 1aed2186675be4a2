/** Events by name. A listener that throws disturbs no other; its error is reported as uncaught. */
export class Emitter {
  #listeners = new Map();

  /** Calls `listener` at every event of that name. */
  on(name, listener) {
    if (!this.#listeners.has(name)) this.#listeners.set(name, new Set());
    this.#listeners.get(name).add(listener);
    return this;
  }

  /** Ends what `on` or `once` began. */
  off(name, listener) {
    const listeners = this.#listeners.get(name);
    for (const one of listeners ?? []) if (one === listener || one.original === listener) listeners.delete(one);
    return this;
  }

  /** Calls `listener` at the next event of that name only. */
  once(name, listener) {
    const once = (...details) => {
      this.off(name, once);
      listener(...details);
    };
    once.original = listener;
    return this.on(name, once);
  }

  /** Ends all listening, or that to one name. */
  removeAllListeners(name) {
    if (name === undefined) this.#listeners.clear();
    else this.#listeners.delete(name);
    return this;
  }

  /** Calls the listeners of that name; true if there were any. */
  emit(name, ...details) {
    const listeners = [...(this.#listeners.get(name) ?? [])];
    for (const listener of listeners) {
      try {
        listener(...details);
      } catch (error) {
        queueMicrotask(() => { throw error; });
      }
    }
    return listeners.length > 0;
  }
}
