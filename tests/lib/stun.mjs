// STUN messages made by hand, right ones and wrong ones: RFC 8489, with the attributes of ICE (RFC 8445).
import {createHmac, randomBytes} from 'node:crypto';

export const attribute = {
  username: 0x0006, integrity: 0x0008, errorCode: 0x0009, unknown: 0x000a, priority: 0x0024, useCandidate: 0x0025,
  fingerprint: 0x8028, controlled: 0x8029, controlling: 0x802a,
};
export const kind = {request: 0x0001, indication: 0x0011, success: 0x0101, error: 0x0111};
const cookie = 0x2112a442;

const table = Uint32Array.from({length: 256}, (_, n) => {
  for (let bit = 0; bit < 8; ++bit) n = n & 1 ? (n >>> 1) ^ 0xedb88320 : n >>> 1;
  return n;
});
const crc32 = bytes => ~bytes.reduce((crc, byte) => (crc >>> 8) ^ table[(crc ^ byte) & 255], -1) >>> 0;

/** One attribute; `size` may lie. */
export function encode(type, value, size = value.length) {
  const head = Buffer.alloc(4);
  head.writeUInt16BE(type, 0);
  head.writeUInt16BE(size, 2);
  return Buffer.concat([head, value, Buffer.alloc((4 - (value.length % 4)) % 4)]);
}

const u32 = value => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
};

/**
 * A connectivity check that nominates, right unless something else is asked for.
 * @param {{username: string, password: string, type?: number, transaction?: Buffer, extra?: Buffer[],
 *          integrity?: 'right'|'wrong'|'none', fingerprint?: 'right'|'wrong'|'none', length?: number}} options
 *   `extra`: further attributes, before the integrity; `length`: what the header says instead of the truth
 */
export function check({username, password, type = kind.request, transaction = randomBytes(12), extra = [],
                       integrity = 'right', fingerprint = 'right', length}) {
  const attributes = [
    encode(attribute.username, Buffer.from(username)), encode(attribute.priority, u32(0x6e7f1eff)),
    encode(attribute.controlling, randomBytes(8)), encode(attribute.useCandidate, Buffer.alloc(0)), ...extra,
  ];
  // The header's length counts up to the attribute that is being computed: RFC 8489 sections 14.5 and 14.7.
  const message = (added = 0) => {
    const body = Buffer.concat(attributes);
    const head = Buffer.alloc(8);
    head.writeUInt16BE(type, 0);
    head.writeUInt16BE(body.length + added, 2);
    head.writeUInt32BE(cookie, 4);
    return Buffer.concat([head, transaction, body]);
  };
  if (integrity !== 'none') {
    const hash = createHmac('sha1', password).update(message(24)).digest();
    if (integrity === 'wrong') hash[7] ^= 1;
    attributes.push(encode(attribute.integrity, hash));
  }
  if (fingerprint !== 'none') {
    const crc = (crc32(message(8)) ^ 0x5354554e) >>> 0;
    attributes.push(encode(attribute.fingerprint, u32(fingerprint === 'wrong' ? (crc ^ 1) >>> 0 : crc)));
  }
  const all = message();
  if (length !== undefined) all.writeUInt16BE(length, 2);
  return all;
}

/** What a message is: its kind, transaction and attributes by type; none if it is no STUN. */
export function decode(bytes) {
  if (bytes.length < 20 || bytes[0] > 3 || bytes.readUInt32BE(4) !== cookie) return undefined;
  const attributes = new Map();
  for (let at = 20; at + 4 <= bytes.length;) {
    const size = bytes.readUInt16BE(at + 2);
    attributes.set(bytes.readUInt16BE(at), bytes.subarray(at + 4, at + 4 + size));
    at += 4 + size + ((4 - (size % 4)) % 4);
  }
  return {type: bytes.readUInt16BE(0), transaction: bytes.subarray(8, 20), attributes};
}
