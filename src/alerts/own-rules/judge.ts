/** Rules of one's own: what they find wrong within a minute. The hub and a preview ask the same. Pure. */

import type { Condition } from '../../config/own-rules/parse.ts';
import { type Dimension, quantityOf } from '../../config/own-rules/quantities.ts';
import type { OwnRules } from '../../config/schema.ts';
import { bytes, duration } from '../../format.ts';
import type { Finding } from '../types.ts';
import { type Measured, type Minute, measured } from './compute.ts';

/** Parts of one subject that one rule tells of, the worst: a rule over every route finds many. */
const MOST = 10;

export interface OwnFinding extends Finding {
  /** Of its first condition. */
  readonly value: number;
}

export function ownFindings(rules: OwnRules, minute: Minute): readonly OwnFinding[] {
  return Object.entries(rules).flatMap(([name, rule]) => {
    const [first, ...others] = rule.conditions;
    const rest = others.map((one) => new Set(holding(one, minute).map(({ subject }) => subject)));
    const found = holding(first, minute).filter(({ subject }) => rest.every((some) => some.has(subject)));
    return worst(first, found).map(({ subject, part, value }) => ({
      key: [name, subject, part].join('|'),
      rule: name,
      severity: rule.severity,
      subject,
      kind: rule.about,
      message: sentence(first, subject, part, value),
      value,
    }));
  });
}

function holding(condition: Condition, minute: Minute): readonly Measured[] {
  return measured(condition, minute).filter(({ value }) => holds(condition, value));
}

function holds({ operator, value: limit }: Condition, value: number): boolean {
  switch (operator) {
    case '>':
      return value > limit;
    case '>=':
      return value >= limit;
    case '<':
      return value < limit;
    case '<=':
      return value <= limit;
  }
}

const isUpper = ({ operator }: Condition) => operator === '>' || operator === '>=';

function worst(condition: Condition, found: readonly Measured[]): readonly Measured[] {
  const counts = new Map<string, number>();
  return found
    .toSorted((a, b) => (isUpper(condition) ? b.value - a.value : a.value - b.value))
    .filter(({ subject }) => {
      const count = (counts.get(subject) ?? 0) + 1;
      counts.set(subject, count);
      return count <= MOST;
    });
}

/** `latency p99 of POST /api/pay on shop is 912 ms, above 800 ms`. */
function sentence(condition: Condition, subject: string, part: string, value: number): string {
  const { quantity, quantile, value: limit } = condition;
  const { dimension } = quantityOf(quantity);
  const name = quantity.replace('cpu', 'CPU');
  const what = quantile === undefined ? name : `${name} p${Number((quantile * 100).toFixed(2))}`;
  const of = part === '' ? '' : ` of ${part}`;
  const side = isUpper(condition) ? 'above' : 'below';
  return `${what}${of} on ${subject} is ${written(value, dimension)}, ${side} ${written(limit, dimension)}`;
}

/** A value as people read it. */
function written(value: number, dimension: Dimension): string {
  const digits = Number(value.toPrecision(3));
  switch (dimension) {
    case 'share':
      return `${Number((value * 100).toPrecision(3))} %`;
    case 'time':
      return duration(value);
    case 'bytes':
      return bytes(value);
    case 'bytes a second':
      return `${bytes(value)}/s`;
    case 'times a second':
      return `${digits}/s`;
    case 'number':
      return String(digits);
  }
}
