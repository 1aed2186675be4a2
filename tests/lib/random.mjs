// Chance for tests that is the same in every run; CARDEA_SEED=7 chooses another one.
const fromEnvironment = Number(process.env.CARDEA_SEED ?? 1);

export class Random {
  #state;

  /** @param {string} purpose so that two tests with one seed do not share their numbers */
  constructor(purpose, seed = fromEnvironment) {
    this.#state = seed >>> 0;
    for (const c of purpose) this.#state = (Math.imul(this.#state, 31) + c.charCodeAt(0)) >>> 0;
  }

  /** 32 bits: the generator mulberry32. */
  u32() {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return (t ^ (t >>> 14)) >>> 0;
  }
  /** A whole number from 0 to `limit` - 1. */
  below(limit) { return this.u32() % limit; }
  /** A whole number from `min` to `max`, both included. */
  between(min, max) { return min + this.below(max - min + 1); }
  chance(share) { return this.u32() / 2 ** 32 < share; }
  pick(list) { return list[this.below(list.length)]; }
  bytes(size) {
    const all = Buffer.alloc(size);
    for (let i = 0; i < size; ++i) all[i] = this.u32();
    return all;
  }

  /** A copy of some bytes with a few of them changed, cut out, doubled or put in. */
  mutated(bytes, changes = this.between(1, 4)) {
    let all = Buffer.from(bytes);
    for (let i = 0; i < changes; ++i) {
      const at = this.below(all.length + 1);
      const size = this.between(1, 8);
      switch (this.below(5)) {
      case 0: if (at < all.length) all[at] = this.u32(); break;
      case 1: if (at < all.length) all[at] ^= 1 << this.below(8); break;
      case 2: all = Buffer.concat([all.subarray(0, at), all.subarray(at + size)]); break;
      case 3: all = Buffer.concat([all.subarray(0, at), this.bytes(size), all.subarray(at)]); break;
      default: all = Buffer.concat([all.subarray(0, at), all.subarray(Math.max(0, at - size))]); break;
      }
    }
    return all;
  }
}
