// Where a room is to be found, from what connect() was given.

/** The video room's id of a name: numbers are themselves, other names become one of 53 bits, the same everywhere. */
export function roomId(name) {
  if (typeof name === 'number') return name;
  const text = String(name).trim();
  if (/^\d{1,15}$/.test(text)) return Number(text);
  let high = 0x811c9dc5, low = 0xcbf29ce4; // two FNV-1a sums
  for (const byte of new TextEncoder().encode(text.normalize('NFC').toLowerCase())) {
    high = Math.imul(high ^ byte, 0x01000193);
    low = Math.imul(low ^ byte ^ (high >>> 24), 0x01000193);
  }
  return (high >>> 0) * 2 ** 20 + ((low >>> 0) & 0xfffff) + 2 ** 51;
}

// {video: {room}, sub, name, metadata} of a JSON Web Token; undefined if it is none.
function claimsOf(token) {
  const parts = token.split('.');
  if (parts.length !== 3) return undefined;
  try {
    const bytes = Uint8Array.from(atob(parts[1].replace(/-/g, '+').replace(/_/g, '/')), char => char.charCodeAt(0));
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return undefined;
  }
}

/**
 * What to join, from a token or from options: a JSON Web Token whose claims name room and person, a signed token of the gateway
 * ("...,room=1234:signature"), the name of a room, or {room, name, identity, pin, secret, token, apisecret, metadata, attributes}.
 */
export function targetOf(given) {
  if (typeof given === 'number') return {room: given};
  if (typeof given !== 'string') return {...given};
  const claims = claimsOf(given);
  if (claims) {
    const {video, room, sub, name, metadata, attributes} = claims;
    return {room: video?.room ?? room, identity: sub, name, metadata, attributes, token: given};
  }
  const [, room] = /,room=([^,:]+)[^:]*:/.exec(given) ?? [];
  return room ? {room, token: given} : {room: given};
}
