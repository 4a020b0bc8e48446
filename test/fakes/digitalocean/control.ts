/**
 * For people who try the product against the fake: with `curl` they set faults and look into the account.
 * Not part of the API.
 */
import type { FakeAccount } from './account.ts';
import { type CallId, EVERY_FAULT, type Fault } from './faults.ts';
import type { FakeAnswer } from './request.ts';

/** Which calls fail, and how: the name of one of `EVERY_FAULT`. */
export interface FaultRule {
  readonly method?: string;
  /** e.g. `/v2/droplets/:id`; absent: every call. */
  readonly route?: string;
  readonly fault: string;
  /** How often; default once. */
  readonly times?: number;
}

export interface Control {
  answer(method: string, path: string, body: string): FakeAnswer | undefined;
  readonly plan: (call: CallId) => Fault | undefined;
}

export function createControl(account: FakeAccount): Control {
  let rules: (FaultRule & { left: number })[] = [];
  return {
    answer(method, path, body) {
      if (path === '/fake/account') return { status: 200, body: account };
      if (path !== '/fake/faults') return undefined;
      if (method === 'DELETE') rules = [];
      if (method === 'POST') {
        const rule = JSON.parse(body) as FaultRule;
        if (EVERY_FAULT[rule.fault] === undefined) {
          return { status: 422, body: { message: `There are: ${Object.keys(EVERY_FAULT).join('; ')}` } };
        }
        rules.push({ ...rule, left: rule.times ?? 1 });
      }
      return { status: 200, body: rules };
    },
    plan({ method, route }) {
      const rule = rules.find(
        (one) => one.left > 0 && (one.method ?? method) === method && (one.route ?? route) === route,
      );
      if (rule === undefined) return undefined;
      rule.left--;
      return EVERY_FAULT[rule.fault];
    },
  };
}
