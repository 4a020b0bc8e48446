/** Brings samples to the hub's inbox in order, each once; keeps them, within bounds, while Redis is away. */
import type { Window } from '../../metrics/catalogue.ts';
import { encodeWindow } from '../../metrics/wire.ts';
import { type RedisAddress, RedisConnection, RedisError } from './resp.ts';

export interface SenderOptions {
  readonly redis: RedisAddress;
  /** Stream of this host's inbox, e.g. `in:checkbox:samples`. */
  readonly stream: string;
  /** Tells this start of the agent from others. */
  readonly instance: string;
  /** Bytes of samples kept while Redis is away; the oldest are dropped beyond. */
  readonly maxBufferBytes: number;
  /** Entries that the inbox may hold while no hub empties it; about. */
  readonly maxInboxLength: number;
  /** One sentence for the journal. */
  readonly log: (line: string) => void;
  readonly now?: (() => number) | undefined;
  readonly random?: (() => number) | undefined;
  readonly delays?: Delays | undefined;
}

/** Milliseconds between attempts to reach Redis: at first, at most, and where it refuses the credentials. */
export interface Delays {
  readonly first: number;
  readonly longest: number;
  /** Wrong credentials mend themselves seldom, and asking often looks like an attack. */
  readonly refused: number;
}

const DELAYS: Delays = { first: 500, longest: 10_000, refused: 30_000 };

interface Buffered {
  /** Fields and values, as XADD takes them. */
  readonly parts: readonly string[];
  readonly bytes: number;
}

export class Sender {
  readonly #options: SenderOptions;
  readonly #now: () => number;
  readonly #random: () => number;
  #queue: Buffered[] = [];
  #bytes = 0;
  #sequence = 0;
  /** The first of the queue is on its way. One at a time, so that none can overtake another. */
  #sending = false;
  #dropped = 0;
  #droppedEver = 0;
  #connection: RedisConnection | undefined;
  #timer: NodeJS.Timeout | undefined;
  #attempts = 0;
  /** When the present trouble began; undefined while all is well. */
  #troubleSince: number | undefined;
  #trouble = '';
  #saidAt = 0;
  #closed = false;
  #onIdle: (() => void)[] = [];

  constructor(options: SenderOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
    this.#random = options.random ?? Math.random;
  }

  /** Samples that wait. */
  get buffered(): number {
    return this.#queue.length;
  }

  /** Samples dropped since the start. */
  get droppedEver(): number {
    return this.#droppedEver;
  }

  /** Samples dropped since the last call. */
  takeDropped(): number {
    const dropped = this.#dropped;
    this.#dropped = 0;
    return dropped;
  }

  /** Connects. Returns at once; whatever fails is tried again. */
  start(): void {
    this.#connect();
  }

  push(window: Window): void {
    const fields = { ...encodeWindow(window), i: this.#options.instance, q: String(this.#sequence) };
    const parts = Object.entries(fields).flat();
    const bytes = parts.reduce((total, part) => total + part.length + 16, 0);
    this.#sequence++;
    this.#queue.push({ parts, bytes });
    this.#bytes += bytes;
    // What is on its way may have arrived already: it is not dropped.
    const first = this.#sending ? 1 : 0;
    while (this.#bytes > this.#options.maxBufferBytes && this.#queue.length > first + 1) {
      const [lost] = this.#queue.splice(first, 1);
      this.#bytes -= lost?.bytes ?? 0;
      this.#dropped++;
      this.#droppedEver++;
    }
    this.#send();
  }

  /** Sends what waits, for at most `timeoutMs`, then ends. @returns samples that were not delivered. */
  async close(timeoutMs: number): Promise<number> {
    if (this.#queue.length > 0 && this.#connection !== undefined) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, timeoutMs);
        this.#onIdle.push(() => {
          clearTimeout(timer);
          resolve();
        });
      });
    }
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#connection?.close();
    return this.#queue.length;
  }

  #connect(): void {
    if (this.#closed) return;
    RedisConnection.open(this.#options.redis).then(
      (connection) => {
        if (this.#closed) return connection.close();
        this.#connection = connection;
        connection.onEnd((error) => this.#onEnd(error));
        this.#send();
      },
      (error: Error) => this.#onEnd(error),
    );
  }

  /** Tries again later: at first soon, then less often, and never at the same moment as all other hosts. */
  #onEnd(error: Error): void {
    this.#connection = undefined;
    this.#sending = false;
    if (this.#closed) return;
    const delays = this.#options.delays ?? DELAYS;
    const refused = error instanceof RedisError && /^(WRONGPASS|NOAUTH|NOPERM)$/.test(error.code);
    const delay = refused ? delays.refused : Math.min(delays.longest, delays.first * 2 ** this.#attempts);
    this.#attempts = Math.min(this.#attempts + 1, 16);
    this.#sayTrouble(
      refused ? `user ${this.#options.redis.user ?? 'default'}: ${error.message}` : error.message,
    );
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#connect(), delay * (0.5 + this.#random() / 2));
  }

  #send(): void {
    const connection = this.#connection;
    const [sample] = this.#queue;
    if (connection === undefined || sample === undefined || this.#sending || this.#closed) return;
    this.#sending = true;
    const { stream, maxInboxLength } = this.#options;
    const limit = ['MAXLEN', '~', String(maxInboxLength)];
    connection.command('XADD', stream, ...limit, '*', ...sample.parts, 'n', String(this.#now())).then(
      () => this.#onDelivered(sample),
      (error: Error) => {
        // An error that Redis answered, e.g. `OOM`, leaves the connection; a new one is as good and asks for
        // the credentials again.
        if (connection !== this.#connection) return;
        connection.close();
        this.#onEnd(error);
      },
    );
  }

  #onDelivered(sample: Buffered): void {
    this.#queue.shift();
    this.#bytes -= sample.bytes;
    this.#sending = false;
    if (this.#queue.length === 0) {
      this.#sayWell();
      for (const idle of this.#onIdle.splice(0)) idle();
    }
    this.#send();
  }

  #sayTrouble(message: string): void {
    const now = this.#now();
    this.#troubleSince ??= now;
    // Once, when it becomes something else, and every ten minutes.
    if (message === this.#trouble && now - this.#saidAt < 600_000) return;
    this.#trouble = message;
    this.#saidAt = now;
    const { host, port, path } = this.#options.redis;
    const cause = message.replace(/\.+$/, '');
    this.#options.log(
      `Redis at ${path ?? `${host}:${port}`}: ${cause}. Samples are kept (${this.#queue.length} now) ` +
        `and sent once it answers.`,
    );
  }

  #sayWell(): void {
    this.#attempts = 0;
    if (this.#troubleSince === undefined) return;
    const seconds = Math.round((this.#now() - this.#troubleSince) / 1000);
    this.#troubleSince = undefined;
    this.#trouble = '';
    this.#options.log(`Redis answers again after ${seconds} s; everything that was kept is sent.`);
  }
}
