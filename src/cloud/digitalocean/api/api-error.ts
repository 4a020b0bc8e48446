/**
 * A call that failed, as a failure that people understand: what the API said, what it means here, what to
 * do next.
 */
import { Failure, type FailureKind } from '../../../errors.ts';

/** Whether the call may have changed something although it failed. */
export type CallEffect = 'none' | 'unknown';

export interface CallName {
  readonly method: string;
  readonly path: string;
}

/**
 * What a refusal is about. The API gives statuses one meaning in one place and another elsewhere, and no
 * codes: its words are read here, once.
 */
export type RefusalReason =
  /** something else is under way on the same thing */
  | 'busy'
  /** the call refers to a thing that the API does not know (yet) */
  | 'unknown-thing'
  /** the token lacks the right */
  | 'no-right';

export interface ApiErrorDetails {
  readonly call: CallName;
  /** HTTP status; 0 where no complete answer came. */
  readonly status: number;
  readonly effect: CallEffect;
  /** Whether the same call may succeed later. */
  readonly transient: boolean;
  readonly requestId?: string | undefined;
  /** What the API said, word for word: for people. */
  readonly said?: string | undefined;
  /** Absent: it is none of these, or was no refusal. */
  readonly reason?: RefusalReason | undefined;
  /** Milliseconds that the API asks to wait. */
  readonly waitMs?: number | undefined;
  readonly next?: string | undefined;
  readonly kind?: FailureKind | undefined;
  readonly cause?: unknown;
}

export class ApiError extends Failure {
  readonly call: CallName;
  readonly status: number;
  readonly effect: CallEffect;
  readonly transient: boolean;
  readonly waitMs: number | undefined;
  readonly said: string;
  readonly reason: RefusalReason | undefined;

  constructor(message: string, details: ApiErrorDetails) {
    const { call, requestId } = details;
    const id = requestId === undefined ? '' : `, request ${requestId}`;
    super(details.kind ?? 'cloud', `${message} (${call.method} ${call.path}${id})`, {
      next: details.next,
      cause: details.cause,
    });
    this.call = call;
    this.status = details.status;
    this.effect = details.effect;
    this.transient = details.transient;
    this.waitMs = details.waitMs;
    this.said = details.said ?? '';
    this.reason = details.reason;
  }
}

/** Whether `thrown` is an answer of the API with one of these statuses. */
export function isStatus(thrown: unknown, ...statuses: readonly number[]): thrown is ApiError {
  return thrown instanceof ApiError && statuses.includes(thrown.status);
}

/** What the API said about a call that it turned down. */
export interface Refusal {
  readonly call: CallName;
  readonly status: number;
  readonly said: string;
  readonly requestId: string | undefined;
  readonly waitMs: number | undefined;
  /** Name of the variable that holds the token, for messages; never the token. */
  readonly tokenName: string;
}

const TOKENS = 'https://cloud.digitalocean.com/account/api/tokens';

/** A refusal in words. Statuses: 401, 403, 404, 409, 422, 429 and whatever else is not 2xx. */
export function refusalError(refusal: Refusal): ApiError {
  const { call, status, said, tokenName } = refusal;
  const quoted = said === '' ? `status ${status}` : `${status}: ${said}`;
  const base = {
    call,
    status,
    said,
    reason: reasonOf(status, said),
    requestId: refusal.requestId,
    waitMs: refusal.waitMs,
    effect: 'none' as CallEffect,
    transient: false,
  };
  if (status === 401) {
    return new ApiError(`DigitalOcean does not accept ${tokenName} (${quoted})`, {
      ...base,
      kind: 'usage',
      next: `It is mistyped, revoked or expired. Make a new one at ${TOKENS} and export it as DOTOKEN.`,
    });
  }
  if (status === 403) {
    const what = call.method === 'GET' ? `read ${call.path}` : 'change this account';
    return new ApiError(`${tokenName} may not ${what} (${quoted})`, {
      ...base,
      kind: 'usage',
      next:
        `Make a token at ${TOKENS} with full access, or with read and write scope for ` +
        'droplet, firewall, ssh_key, tag and vpc.',
    });
  }
  if (status === 429) {
    return new ApiError(`DigitalOcean takes no more calls for now (${quoted})`, {
      ...base,
      transient: true,
      next: 'Wait some minutes and run the command again: it goes on from what exists.',
    });
  }
  if (status >= 500) {
    return new ApiError(`DigitalOcean has a fault (${quoted})`, {
      ...base,
      effect: 'unknown',
      transient: true,
      next: 'See https://status.digitalocean.com and run the command again: it goes on from what exists.',
    });
  }
  return new ApiError(`DigitalOcean refused (${quoted})`, { ...base, ...adviceFor(said) });
}

/** How refusals speak of things that they cannot find. */
const THING = '(tag|vpc|network|key)';
const AMISS = '(unknown|invalid|missing)';
const UNKNOWN = new RegExp(`(not|n't) (exist|found)|no such|${AMISS}.*${THING}|${THING}.*${AMISS}`, 'i');

function reasonOf(status: number, said: string): RefusalReason | undefined {
  if (status === 404) return 'unknown-thing';
  if (status === 403) return /authori|permi|scope/i.test(said) ? 'no-right' : undefined;
  if ([409, 422, 423].includes(status) && /pending|event|locked|progress/i.test(said)) return 'busy';
  return [400, 422].includes(status) && UNKNOWN.test(said) ? 'unknown-thing' : undefined;
}

/** What to do about refusals that the API tells apart by their text alone. */
function adviceFor(said: string): { readonly next: string; readonly kind?: FailureKind } {
  const rules: readonly (readonly [RegExp, string])[] = [
    [
      /\btags? (limit|count)|too many tags/i,
      'Remove tags that nothing uses at https://cloud.digitalocean.com/tags, then run the command again.',
    ],
    [
      /droplet limit|exceed.*limit|limit.*exceed/i,
      'Remove what you no longer need, or ask for a higher limit at ' +
        'https://cloud.digitalocean.com/account/team/droplet_limit_increase, then run the command again.',
    ],
    [
      /size|sold out|not available|unavailable|capacity/i,
      'Choose another size or region in pipeline.yml: pipeline prod plan says which exist.',
    ],
    [
      /payment|billing|card|locked|verif/i,
      'See https://cloud.digitalocean.com/account/billing, then run the command again.',
    ],
  ];
  const found = rules.find(([pattern]) => pattern.test(said));
  return {
    next: found?.[1] ?? 'See the answer above; --verbose shows every call. Then run the command again.',
  };
}

/** Codes of errors that mean that nothing was sent. */
const NOT_SENT: Readonly<Record<string, string>> = {
  ENOTFOUND: 'its name does not resolve',
  EAI_AGAIN: 'no name server answers',
  ECONNREFUSED: 'nothing listens there',
  ENETUNREACH: 'there is no network',
  EHOSTUNREACH: 'there is no route to it',
  UND_ERR_CONNECT_TIMEOUT: 'it does not answer',
};

const CERTIFICATE = /CERT|SELF_SIGNED|UNABLE_TO_|ERR_TLS|EPROTO|ERR_SSL/;

/**
 * A call without a complete answer.
 * @param origin scheme, name and port of the API
 */
export function networkError(call: CallName, origin: string, thrown: unknown): ApiError {
  const cause = thrown instanceof Error && thrown.cause instanceof Error ? thrown.cause : thrown;
  const code = (cause as NodeJS.ErrnoException | undefined)?.code ?? '';
  const why = cause instanceof Error ? cause.message : String(cause);
  const base = { call, status: 0, cause: new Error(`${code} ${why}`.trim()) };
  if (CERTIFICATE.test(code)) {
    return new ApiError(`The certificate of ${origin} is not trusted (${code})`, {
      ...base,
      effect: 'none',
      transient: false,
      next:
        code.includes('NOT_YET') || code.includes('EXPIRED')
          ? `Set this machine's clock: it says ${new Date().toISOString()}.`
          : 'Behind a proxy that opens TLS, name its certificate in NODE_EXTRA_CA_CERTS. Nothing was sent.',
    });
  }
  const notSent = NOT_SENT[code];
  if (notSent !== undefined) {
    return new ApiError(`${origin} cannot be reached: ${notSent} (${code})`, {
      ...base,
      effect: 'none',
      transient: true,
      next: "Check this machine's network, and DIGITALOCEAN_API_URL if set. Then run the command again.",
    });
  }
  return new ApiError(`The connection to ${origin} broke off (${code === '' ? why : code})`, {
    ...base,
    effect: 'unknown',
    transient: true,
    next: 'Run the command again: it goes on from what exists.',
  });
}

export function timeoutError(call: CallName, origin: string, ms: number): ApiError {
  return new ApiError(`${origin} did not answer within ${ms / 1000} s`, {
    call,
    status: 0,
    effect: 'unknown',
    transient: true,
    next: 'See https://status.digitalocean.com and run the command again: it goes on from what exists.',
  });
}

/** An answer that is not what the published contract says, e.g. cut off, or the page of a proxy. */
export function answerError(call: CallName, status: number, what: string, requestId?: string): ApiError {
  return new ApiError(`The answer to this call is not what the API promises: ${what}`, {
    call,
    status,
    requestId,
    effect: 'unknown',
    transient: true,
    next:
      'Something on the way, such as a proxy, may change the answers. ' +
      'Run the command again: it goes on from what exists.',
  });
}
