/** Faults of a canary as people write them: `kill:database@20s`, `cpu:50%@10s+15s`. Pure. */

const FORMS = {
  'kill:database': null,
  'kill:process': null,
  'slow:database': 'ms',
  cpu: '%',
  'disk:full': null,
  'network:loss': '%',
} as const;

export type FaultKind = keyof typeof FORMS;

export interface Fault {
  /** As it was written. */
  readonly text: string;
  readonly kind: FaultKind;
  /** Milliseconds, or per cent; null: the kind has none. */
  readonly amount: number | null;
  /** Seconds after the first request. */
  readonly at: number;
  /** Seconds until it is undone. */
  readonly seconds: number;
}

const DEFAULT_AT = 10;
const DEFAULT_SECONDS = 10;
const SPEC = /^([a-z]+(?::[a-z]+)?)(?::(\d+(?:\.\d+)?)(ms|%))?(?:@(\d+)(s|m))?(?:\+(\d+)(s|m))?$/;

/** @returns the fault, or what is wrong with the text */
export function parseFault(text: string): Fault | string {
  const examples = Object.entries(FORMS).map(example).join(', ');
  const known = `faults are ${examples}, with @20s (when) and +10s (how long)`;
  const [, kind = '', amount, unit, at, atUnit, long, longUnit] = SPEC.exec(text.trim()) ?? [];
  if (!isKind(kind)) return `"${text}" is no fault: ${known}`;
  const wanted = FORMS[kind];
  if ((unit ?? null) !== wanted) {
    return wanted === null
      ? `"${text}": ${kind} takes no amount`
      : `"${text}": ${kind} needs an amount, e.g. ${example([kind, wanted])}`;
  }
  const number = amount === undefined ? null : Number(amount);
  const [least, most] = wanted === 'ms' ? [1, 5_000] : [0.1, 100];
  if (number !== null && (number < least || number > most))
    return `"${text}": the amount is between ${least} and ${most} ${wanted}`;
  const seconds = (value: string | undefined, of: string | undefined, otherwise: number) =>
    value === undefined ? otherwise : Number(value) * (of === 'm' ? 60 : 1);
  const lasts = seconds(long, longUnit, DEFAULT_SECONDS);
  if (lasts < 1) return `"${text}": it lasts a second at least`;
  return { text, kind, amount: number, at: seconds(at, atUnit, DEFAULT_AT), seconds: lasts };
}

function isKind(kind: string): kind is FaultKind {
  return Object.hasOwn(FORMS, kind);
}

function example([kind, unit]: readonly [string, string | null]): string {
  return unit === null ? kind : `${kind}:${unit === 'ms' ? '100ms' : kind === 'cpu' ? '50%' : '2%'}`;
}
