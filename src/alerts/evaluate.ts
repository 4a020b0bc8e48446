/** From what is wrong now and what was before to what people are told. Pure. */
import type { AlertsConfig, OwnRules } from '../config/schema.ts';
import { isQuiet } from './quiet.ts';
import { isSilenced, type Silence } from './silence.ts';
import { type Taken, takenBy } from './taken.ts';
import type { AlertState, Finding, LastingRule, Notice } from './types.ts';

/**
 * A trouble must be gone this long before it counts as over; doubled each time it fires again within the
 * hour.
 */
const CALM_MS = 20_000;
const LONGEST_CALM_MS = 30 * 60_000;
const MEMORY_MS = 3_600_000;

/** What of `alerts:` decides. */
export interface EvaluateConfig extends Pick<AlertsConfig, 'quiet' | 'repeat'> {
  readonly rules: Partial<AlertsConfig['rules']>;
  readonly own?: OwnRules | undefined;
}

/** What people have said of troubles. */
export interface Care {
  readonly silences?: readonly Silence[];
  readonly taken?: readonly Taken[];
}

export interface Evaluated {
  readonly states: readonly AlertState[];
  readonly notices: readonly Notice[];
}

/** One step. Called every second or so; the same arguments give the same result. */
export function evaluate(
  before: readonly AlertState[],
  findings: readonly Finding[],
  config: EvaluateConfig,
  now: number,
  { silences = [], taken = [] }: Care = {},
): Evaluated {
  const found = new Map(findings.map((finding) => [finding.key, finding]));
  const known = new Map(before.map((state) => [state.key, state]));
  const quiet = config.quiet !== undefined && isQuiet(config.quiet, now);
  const telling = { repeat: config.repeat, now, notices: [] as Notice[] };
  const states: AlertState[] = [];
  for (const key of new Set([...known.keys(), ...found.keys()])) {
    const next = step(known.get(key), found.get(key), config, now);
    if (next === undefined) continue;
    const waits = isSilenced(silences, next, now) ? 'all' : quiet ? 'warnings' : 'none';
    states.push(tell(next, waits, takenBy(taken, next) !== undefined, telling));
  }
  return { states, notices: telling.notices };
}

/**
 * What a hub that begins knows from the one before. Time in which nobody looked is no calm; what a host left
 * behind that is watched no more goes.
 */
export function resume(kept: readonly AlertState[], hosts: readonly string[], now: number): AlertState[] {
  return kept
    .filter(({ kind, subject }) => kind !== 'host' || hosts.includes(subject))
    .map((state) => ({ ...state, seenAt: now }));
}

function step(
  state: AlertState | undefined,
  finding: Finding | undefined,
  config: EvaluateConfig,
  now: number,
): AlertState | undefined {
  if (finding !== undefined) {
    const again = state === undefined || state.state === 'resolved';
    const current: AlertState = again
      ? { ...finding, state: 'pending', since: now, seenAt: now, fires: state?.fires ?? 0, told: state?.told }
      : { ...state, ...finding, seenAt: now };
    if (current.state !== 'pending' || now - current.since < waitOf(finding.rule, config)) return current;
    return { ...current, state: 'firing', firedAt: now, fires: current.fires + 1 };
  }
  if (state === undefined) return undefined;
  const calm = now - state.seenAt;
  if (state.state === 'pending') {
    // One good look in between does not make a long trouble short.
    if (calm < 3_000) return state;
    return state.fires === 0 ? undefined : { ...state, state: 'resolved', resolvedAt: now };
  }
  if (state.state === 'firing') {
    const needed = Math.min(LONGEST_CALM_MS, CALM_MS * 2 ** Math.max(0, state.fires - 1));
    return calm < needed ? state : { ...state, state: 'resolved', resolvedAt: now };
  }
  return now - (state.resolvedAt ?? now) > MEMORY_MS && state.told === undefined ? undefined : state;
}

function waitOf(name: string, { rules, own }: EvaluateConfig): number {
  const mine = own?.[name];
  if (mine !== undefined) return mine.forMs;
  // Silence has lasted for its `for` when it is found.
  if (name === 'host_silent') return 0;
  const rule = rules[name as LastingRule];
  return rule === undefined || rule === 'off' ? 0 : rule.for;
}

interface Telling {
  /** Time after which people are told again that it lasts, ms; undefined: they are not. */
  readonly repeat: number | undefined;
  readonly now: number;
  readonly notices: Notice[];
}

/**
 * Who was told that it fires is told that it is over, and nobody else. What became critical is told again,
 * and what lasts where that is wanted and nobody has taken it. What is silenced waits; in quiet hours news of
 * warnings do, good news too.
 */
function tell(
  state: AlertState,
  waits: 'all' | 'warnings' | 'none',
  isTaken: boolean,
  { repeat = Number.POSITIVE_INFINITY, now, notices }: Telling,
): AlertState {
  const { severity, told, toldAt = now } = state;
  const mayTell = (of: AlertState['severity']) =>
    waits === 'none' || (waits === 'warnings' && of === 'critical');
  if (state.state === 'firing') {
    const graver = told === 'warning' && severity === 'critical';
    const isNews = graver || (!isTaken && (told === undefined || now - toldAt >= repeat));
    if (!isNews || !mayTell(severity)) return state;
    notices.push({ state: 'firing', alert: state, at: now });
    return { ...state, told: severity, toldAt: now };
  }
  if (state.state === 'resolved' && told !== undefined && mayTell(told)) {
    notices.push({ state: 'resolved', alert: state, at: now });
    return { ...state, told: undefined, toldAt: undefined };
  }
  return state;
}
