/** What the gateway or a plugin refused: `code` and message are its own words. Code 0: it was not reached, or gave no answer. */
export class CardeaError extends Error {
  constructor(code, reason) {
    super(reason);
    this.name = 'CardeaError';
    this.code = code;
  }
}
