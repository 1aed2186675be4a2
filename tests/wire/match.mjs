// Compares a reply with what a table expects of it. Objects may have members that are not named; arrays may not have more
// elements. Words for values:
//   "*" anything   "#" an integer   "!" not there   "~x" a text that matches the expression x
//   "=name" anything, kept as $name   "$name" what was kept
export function fill(value, kept) {
  if (typeof value === 'string' && value.startsWith('$')) {
    if (!(value.slice(1) in kept)) throw new Error(`${value} is not known`);
    return kept[value.slice(1)];
  }
  if (Array.isArray(value)) return value.map(one => fill(one, kept));
  if (value !== null && typeof value === 'object')
    return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, fill(one, kept)]));
  return value;
}

// What differs first, as a path and a sentence; undefined if nothing does.
export function difference(expected, got, kept, path = '') {
  const say = what => `${path || 'the message'}: ${what}, it is ${JSON.stringify(got)}`;
  if (typeof expected === 'string') {
    if (expected === '!') return got === undefined ? undefined : say('should not be there');
    if (got === undefined) return say(`should be there (${expected})`);
    if (expected === '*') return undefined;
    if (expected === '#') return Number.isSafeInteger(got) ? undefined : say('should be an integer');
    if (expected.startsWith('~')) return typeof got === 'string' && new RegExp(expected.slice(1)).test(got) ? undefined : say(`should match ${expected.slice(1)}`);
    if (expected.startsWith('=')) { kept[expected.slice(1)] = got; return undefined; }
    const wanted = fill(expected, kept);
    return wanted === got ? undefined : say(`should be ${JSON.stringify(wanted)}`);
  }
  if (expected === null || typeof expected !== 'object') return expected === got ? undefined : say(`should be ${JSON.stringify(expected)}`);
  if (Array.isArray(expected)) {
    if (!Array.isArray(got)) return say('should be an array');
    if (got.length !== expected.length) return say(`should have ${expected.length} elements`);
  } else if (got === null || typeof got !== 'object' || Array.isArray(got)) {
    return say('should be an object');
  }
  for (const key of Object.keys(expected)) {
    const wrong = difference(expected[key], got[key], kept, path ? `${path}.${key}` : key);
    if (wrong) return wrong;
  }
  return undefined;
}
