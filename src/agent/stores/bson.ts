/** The part of BSON that MongoDB's answers use. Specification: https://bsonspec.org/spec.html */

/** What a document of ours may hold: 32-bit integers, text, bytes, documents. */
export type BsonInput = { readonly [key: string]: number | string | boolean | Uint8Array | BsonInput };

export function encodeBson(document: BsonInput): Buffer {
  const elements = Object.entries(document).map(([key, value]) => {
    const [type, data] = encodeValue(value);
    return Buffer.concat([Buffer.from([type]), Buffer.from(`${key}\0`), data]);
  });
  const body = Buffer.concat([...elements, Buffer.from([0])]);
  return Buffer.concat([int32(body.length + 4), body]);
}

function encodeValue(value: BsonInput[string]): [type: number, data: Buffer] {
  if (typeof value === 'number') return [0x10, int32(value)];
  if (typeof value === 'boolean') return [0x08, Buffer.from([value ? 1 : 0])];
  if (typeof value === 'string') {
    const text = Buffer.from(`${value}\0`);
    return [0x02, Buffer.concat([int32(text.length), text])];
  }
  if (value instanceof Uint8Array)
    return [0x05, Buffer.concat([int32(value.length), Buffer.from([0]), value])];
  return [0x03, encodeBson(value)];
}

export function int32(value: number): Buffer {
  const buffer = Buffer.alloc(4);
  buffer.writeInt32LE(value);
  return buffer;
}

/**
 * Lengths of the types that we have no use for; -1 takes the rest of its document, which is then not read.
 */
const SKIPPED: Readonly<Record<number, number>> = { 6: 0, 7: 12, 10: 0, 17: 8, 19: 16, 127: 0, 255: 0 };

/**
 * A document as a map; arrays are maps by index. Types that we have no use for become null.
 * @throws Error where it is none
 */
export function decodeBson(buffer: Buffer, start = 0): Map<string, unknown> {
  const end = start + buffer.readInt32LE(start) - 1;
  const document = new Map<string, unknown>();
  for (let offset = start + 4; offset < end; ) {
    const type = buffer[offset] ?? 0;
    const zero = buffer.indexOf(0, offset + 1);
    const key = buffer.toString('utf8', offset + 1, zero);
    const { value, length } = decodeValue(buffer, type, zero + 1);
    document.set(key, value);
    offset = zero + 1 + length;
  }
  return document;
}

function decodeValue(buffer: Buffer, type: number, offset: number): { value: unknown; length: number } {
  switch (type) {
    case 0x01:
      return { value: buffer.readDoubleLE(offset), length: 8 };
    case 0x02: {
      const length = buffer.readInt32LE(offset);
      return { value: buffer.toString('utf8', offset + 4, offset + 3 + length), length: 4 + length };
    }
    case 0x03:
    case 0x04:
      return { value: decodeBson(buffer, offset), length: buffer.readInt32LE(offset) };
    case 0x05: {
      const length = buffer.readInt32LE(offset);
      return { value: buffer.subarray(offset + 5, offset + 5 + length), length: 5 + length };
    }
    case 0x08:
      return { value: buffer[offset] === 1, length: 1 };
    case 0x09:
    case 0x12:
      return { value: Number(buffer.readBigInt64LE(offset)), length: 8 };
    case 0x10:
      return { value: buffer.readInt32LE(offset), length: 4 };
    default: {
      const length = SKIPPED[type];
      if (length === undefined) throw new Error(`its answer holds BSON of type ${type}`);
      return { value: null, length };
    }
  }
}
