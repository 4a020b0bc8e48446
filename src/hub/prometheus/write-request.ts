/**
 * `prometheus.WriteRequest` of the remote write protocol 1.0 in protobuf:
 * https://prometheus.io/docs/specs/prw/remote_write_spec/. Three messages of two fields each: a library for
 * protobuf would be larger than what it saves.
 */
export interface WritePoint {
  /** With `__name__`. */
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
  /** ms since 1970. */
  readonly at: number;
}

/** One series for each point. */
export function writeRequest(points: readonly WritePoint[]): Buffer {
  return Buffer.concat(points.map((point) => field(1, timeSeries(point))));
}

function timeSeries({ labels, value, at }: WritePoint): Buffer {
  // The protocol wants labels sorted, and none that is empty.
  const named = Object.entries(labels)
    .filter(([, text]) => text !== '')
    .sort(([a], [b]) => (a < b ? -1 : 1));
  const sample = Buffer.alloc(9);
  sample[0] = (1 << 3) | 1;
  sample.writeDoubleLE(value, 1);
  return Buffer.concat([
    ...named.map(([name, text]) =>
      field(1, Buffer.concat([field(1, Buffer.from(name)), field(2, Buffer.from(text))])),
    ),
    field(2, Buffer.concat([sample, Buffer.from([2 << 3]), varint(at)])),
  ]);
}

/** A field that is a length and bytes. */
function field(number: number, bytes: Buffer): Buffer {
  return Buffer.concat([Buffer.from([(number << 3) | 2]), varint(bytes.length), bytes]);
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes.push((rest % 0x80) | 0x80);
  bytes.push(rest);
  return Buffer.from(bytes);
}
