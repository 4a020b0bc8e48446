/** Lines of nginx's request log (its form: role `nginx`). Pure. */

export interface LoggedRequest {
  /** End of the request, ms since 1970. */
  readonly at: number;
  readonly colour: string;
  readonly release: string;
  readonly method: string;
  /** With its query. */
  readonly uri: string;
  /** 0: closed without an answer. */
  readonly status: number;
  readonly bytes: number;
  readonly milliseconds: number | undefined;
  /** Of all attempts, e.g. `502, 200`; empty: a file. */
  readonly upstreamStatus: string;
  /** Empty where the log has none. */
  readonly id: string;
}

/** undefined: not a line of this log, or a half one. */
export function parseRequest(line: string): LoggedRequest | undefined {
  let fields: Readonly<Record<string, unknown>>;
  try {
    // nginx writes 000 where it closed the connection without an answer, which is no number in JSON.
    fields = JSON.parse(line.replace('"status":000', '"status":0')) as Record<string, unknown>;
  } catch {
    return undefined;
  }
  if (typeof fields !== 'object' || fields === null) return undefined;
  const { msec, status, bytes, time } = fields;
  const text = (name: string) => {
    const value = fields[name];
    return typeof value === 'string' && value !== '-' ? value : '';
  };
  if (typeof msec !== 'number' || typeof status !== 'number') return undefined;
  return {
    at: Math.round(msec * 1000),
    // The nginx of a host that an earlier version set up writes `variant` until the next `prod up`.
    colour: text('colour') || text('variant'),
    release: text('release'),
    method: text('method'),
    uri: text('uri'),
    status,
    bytes: typeof bytes === 'number' ? bytes : 0,
    milliseconds: typeof time === 'number' ? time * 1000 : undefined,
    upstreamStatus: text('upstream_status'),
    id: text('id'),
  };
}

/** Statuses from `from` to `to`. */
export interface StatusRange {
  readonly from: number;
  readonly to: number;
}

/** `5xx`, `404`, `4xx,5xx`, `500-504`; undefined: it is none of these. */
export function parseStatuses(text: string): readonly StatusRange[] | undefined {
  const ranges = text.split(',').map((part): StatusRange | undefined => {
    const word = part.trim().toLowerCase();
    const family = /^([1-5])xx$/.exec(word)?.[1];
    if (family !== undefined) return { from: Number(family) * 100, to: Number(family) * 100 + 99 };
    const [, from, to = from] = /^(\d{1,3})(?:-(\d{1,3}))?$/.exec(word) ?? [];
    return from === undefined || Number(from) > Number(to)
      ? undefined
      : { from: Number(from), to: Number(to) };
  });
  return ranges.includes(undefined) ? undefined : (ranges as StatusRange[]);
}
