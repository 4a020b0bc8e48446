/**
 * Messages of D-Bus as bytes: calls with string arguments out, replies and signals of any signature in
 * (little-endian).
 */

/** A method call. */
export interface Call {
  readonly destination: string;
  readonly path: string;
  readonly interface: string;
  readonly member: string;
  /** Signature of the arguments, of `s` and `as` alone. */
  readonly signature?: string;
  readonly args?: readonly (string | readonly string[])[];
}

export interface Message {
  readonly type: 'call' | 'return' | 'error' | 'signal';
  readonly path: string;
  readonly interface: string;
  readonly member: string;
  readonly errorName: string | undefined;
  readonly replySerial: number | undefined;
  /** The arguments; decoded when asked for, since signals are mostly told by their path alone. */
  readonly body: () => readonly unknown[];
}

const TYPES = ['call', 'call', 'return', 'error', 'signal'] as const;
const FIELD = {
  path: 1,
  interface: 2,
  member: 3,
  errorName: 4,
  replySerial: 5,
  destination: 6,
  signature: 8,
} as const;
/** The specification's bound is 128 MiB; systemd's answers have some 100 KB. */
const MAX_MESSAGE = 16 * 1024 * 1024;

class Writer {
  #parts: Buffer[] = [];
  length = 0;

  align(to: number): this {
    return this.#push(Buffer.alloc((to - (this.length % to)) % to));
  }

  bytes(...values: number[]): this {
    return this.#push(Buffer.from(values));
  }

  uint32(value: number): this {
    const buffer = Buffer.alloc(4);
    buffer.writeUInt32LE(value);
    return this.align(4).#push(buffer);
  }

  /** A string with its length before and a zero after it; a signature has a length of one byte. */
  string(text: string): this {
    return this.uint32(Buffer.byteLength(text)).#push(Buffer.from(`${text}\0`));
  }

  signature(text: string): this {
    return this.bytes(text.length).#push(Buffer.from(`${text}\0`));
  }

  /** Elements that must not be aligned to more than 4. */
  array(write: (elements: Writer) => void): this {
    const elements = new Writer();
    write(elements);
    return this.uint32(elements.length).#push(elements.take());
  }

  take(): Buffer {
    return Buffer.concat(this.#parts);
  }

  #push(part: Buffer): this {
    this.#parts.push(part);
    this.length += part.length;
    return this;
  }
}

/** A method call as it goes over the wire. */
export function encodeCall(serial: number, call: Call): Buffer {
  const body = new Writer();
  for (const arg of call.args ?? []) {
    if (typeof arg === 'string') body.string(arg);
    else {
      body.array((elements) => {
        for (const element of arg) elements.string(element);
      });
    }
  }
  const fields = new Writer();
  const field = (code: number, signature: string, text: string): void => {
    fields.align(8).bytes(code).signature(signature);
    if (signature === 'g') fields.signature(text);
    else fields.string(text);
  };
  field(FIELD.path, 'o', call.path);
  field(FIELD.interface, 's', call.interface);
  field(FIELD.member, 's', call.member);
  field(FIELD.destination, 's', call.destination);
  if (call.signature !== undefined) field(FIELD.signature, 'g', call.signature);
  const head = new Writer().bytes(0x6c, 1, 0, 1).uint32(body.length).uint32(serial).uint32(fields.length);
  const fieldBytes = fields.take();
  const padding = Buffer.alloc((8 - ((head.length + fieldBytes.length) % 8)) % 8);
  return Buffer.concat([head.take(), fieldBytes, padding, body.take()]);
}

/**
 * The first message in the buffer and its length; undefined while it is incomplete.
 * @throws Error where it is none
 */
export function decodeMessage(buffer: Buffer): { message: Message; length: number } | undefined {
  if (buffer.length < 16) return undefined;
  if (buffer[0] !== 0x6c) throw new Error('the bus is big-endian, or does not speak D-Bus');
  const bodyLength = buffer.readUInt32LE(4);
  const bodyStart = Math.ceil((16 + buffer.readUInt32LE(12)) / 8) * 8;
  const length = bodyStart + bodyLength;
  if (length > MAX_MESSAGE) throw new Error(`the bus sends a message of ${length} bytes`);
  if (buffer.length < length) return undefined;
  const reader = new Reader(buffer, 12);
  const fields = new Map(reader.value('a(yv)') as [number, unknown][]);
  const text = (code: number): string => String(fields.get(code) ?? '');
  const signature = text(FIELD.signature);
  // The buffer is cut off behind this message and kept until the body is read.
  const bytes = buffer.subarray(0, length);
  return {
    length,
    message: {
      type: TYPES[buffer[1] ?? 0] ?? 'call',
      path: text(FIELD.path),
      interface: text(FIELD.interface),
      member: text(FIELD.member),
      errorName: fields.get(FIELD.errorName) as string | undefined,
      replySerial: fields.get(FIELD.replySerial) as number | undefined,
      body: () => new Reader(bytes, bodyStart).values(signature),
    },
  };
}

/** Bytes by which a type is aligned. */
const ALIGNMENT: Readonly<Record<string, number>> = {
  y: 1, g: 1, v: 1, n: 2, q: 2, b: 4, i: 4, u: 4, s: 4, o: 4, a: 4, h: 4, x: 8, t: 8, d: 8, '(': 8, '{': 8,
}; // biome-ignore format: a table

/**
 * Reads values by their signature. Message bodies begin at a multiple of 8, so that offsets in the buffer
 * align as those in the body.
 */
class Reader {
  readonly #buffer: Buffer;
  #offset: number;

  constructor(buffer: Buffer, offset: number) {
    this.#buffer = buffer;
    this.#offset = offset;
  }

  /** Values of several types in a row. */
  values(signature: string): unknown[] {
    return splitSignature(signature).map((type) => this.value(type));
  }

  /** Value of one complete type. Numbers of 64 bits become numbers; variants become what they hold. */
  value(type: string): unknown {
    const code = type[0] ?? '';
    const align = ALIGNMENT[code];
    if (align === undefined) throw new Error(`D-Bus type "${type}" is unknown`);
    this.#offset = Math.ceil(this.#offset / align) * align;
    switch (code) {
      case 'y':
        return this.#buffer.readUInt8(this.#advance(1));
      case 'b':
        return this.#buffer.readUInt32LE(this.#advance(4)) !== 0;
      case 'n':
        return this.#buffer.readInt16LE(this.#advance(2));
      case 'q':
        return this.#buffer.readUInt16LE(this.#advance(2));
      case 'i':
        return this.#buffer.readInt32LE(this.#advance(4));
      case 'u':
      case 'h':
        return this.#buffer.readUInt32LE(this.#advance(4));
      case 'x':
        return Number(this.#buffer.readBigInt64LE(this.#advance(8)));
      case 't':
        return Number(this.#buffer.readBigUInt64LE(this.#advance(8)));
      case 'd':
        return this.#buffer.readDoubleLE(this.#advance(8));
      case 's':
      case 'o':
        return this.#text(this.#buffer.readUInt32LE(this.#advance(4)));
      case 'g':
        return this.#text(this.#buffer.readUInt8(this.#advance(1)));
      case 'v':
        return this.value(this.value('g') as string);
      case 'a':
        return this.#array(type.slice(1));
      default:
        return this.values(type.slice(1, -1)); // a struct or an entry of a dictionary
    }
  }

  #array(element: string): unknown[] {
    const length = this.#buffer.readUInt32LE(this.#advance(4));
    const align = ALIGNMENT[element[0] ?? ''] ?? 1;
    this.#offset = Math.ceil(this.#offset / align) * align;
    const end = this.#offset + length;
    const items: unknown[] = [];
    while (this.#offset < end) items.push(this.value(element));
    return items;
  }

  #text(length: number): string {
    const start = this.#advance(length + 1);
    return this.#buffer.toString('utf8', start, start + length);
  }

  #advance(bytes: number): number {
    const start = this.#offset;
    this.#offset += bytes;
    return start;
  }
}

/** `sa{sv}u` → `s`, `a{sv}`, `u`. */
export function splitSignature(signature: string): string[] {
  const types: string[] = [];
  for (let start = 0; start < signature.length; ) {
    const end = endOfType(signature, start);
    types.push(signature.slice(start, end));
    start = end;
  }
  return types;
}

function endOfType(signature: string, start: number): number {
  const code = signature[start];
  if (code === 'a') return endOfType(signature, start + 1);
  if (code !== '(' && code !== '{') return start + 1;
  let depth = 0;
  for (let i = start; i < signature.length; i++) {
    if (signature[i] === '(' || signature[i] === '{') depth++;
    else if ((signature[i] === ')' || signature[i] === '}') && --depth === 0) return i + 1;
  }
  throw new Error(`D-Bus signature "${signature}" is not closed`);
}
