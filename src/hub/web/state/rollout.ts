/** What a page says of a rollout. Pure. */
import { duration } from '../../../format.ts';
import type { Health, RolloutMetric, ShownRollout, ShownSide } from '../../api-types.ts';
import { figure, shortName } from './format.ts';

export const PHASE_HEALTH: Readonly<Record<ShownRollout['phase'], Health>> = {
  running: 'well',
  paused: 'look',
  held: 'look',
  promoted: 'well',
  'taken back': 'broken',
};

/** After this long without a word from its host, the state may be out of date. */
const SILENT_MS = 60_000;

/** How close the evidence is to the alarm: 0 to 1, on a logarithmic scale. */
export function evidenceShare(odds: number, alarm: number): number {
  return Math.min(1, Math.max(0, Math.log(odds) / Math.log(alarm)));
}

/** `none` below two to one, which two equal versions reach now and then. */
export function oddsText(odds: number): string {
  if (odds < 2) return 'none';
  return odds >= 1e6 ? 'over a million to 1' : `${figure(Math.floor(odds), 'number')} to 1`;
}

export function metricValue(value: number | null, unit: RolloutMetric['unit']): string {
  return figure(value, unit === 'share' ? 'ratio' : unit);
}

/** A branch with its commit, or just the commit if the ref is one. */
export function sideName({ ref, commit, release }: ShownSide): string {
  const short = shortName(commit ?? undefined, release);
  return short === '' || ref.startsWith(short) ? ref.slice(0, 40) : `${ref} (${short})`;
}

export type StepState = 'past' | 'here' | 'ahead';

/** Each step, and whether it was taken. */
export function stepStates({
  steps,
  events,
  percent,
  phase,
}: Pick<ShownRollout, 'steps' | 'events' | 'percent' | 'phase'>): readonly (readonly [number, StepState])[] {
  const reached = Math.max(percent, ...events.map((event) => event.percent));
  const goesOn = phase !== 'promoted' && phase !== 'taken back';
  return steps.map((step) => {
    if (goesOn && step === percent) return [step, 'here'];
    return [step, step <= reached ? 'past' : 'ahead'];
  });
}

const THEN: Readonly<Record<ShownRollout['otherwise'], string>> = {
  hold: 'then it waits for a person',
  promote: 'then the new version serves',
  'take back': 'then it is taken back',
};

/** Time until `otherwise` happens; undefined once it no longer can. */
export function timeLeft(
  rollout: ShownRollout,
): { readonly left: string; readonly otherwise: string } | undefined {
  const { phase, until, at, otherwise } = rollout;
  if (phase !== 'running' && phase !== 'paused') return undefined;
  return { left: duration(Math.max(0, until - at)), otherwise: THEN[otherwise] };
}

/**
 * Why it stands where it stands, or what is waited for: a sentence without its end; empty: nothing to say.
 */
export function whyText({ phase, next, events, candidate }: ShownRollout): string {
  const why = events.at(-1)?.why ?? '';
  if (phase === 'promoted' || phase === 'taken back') return why === '' ? '' : upper(why);
  const waits = next === null ? '' : `The step to ${next.percent} % waits for ${next.waitsFor}`;
  if (phase === 'running') return waits;
  const said = why === '' ? '' : `: ${why}`;
  return `${sideName(candidate)} is ${phase}${said}. ${waits}`.trim();
}

/** What visitors are called; undefined if each request is assigned on its own. */
export function unitsOf(by: string): string | undefined {
  if (by === 'request') return undefined;
  return by === 'visitor' ? 'Visitors' : by === 'address' ? 'Addresses' : 'Clients';
}

/** How long its host has been silent; undefined if it is not, or if the rollout has ended. */
export function silence({ phase, heardAt }: ShownRollout, now: number): string | undefined {
  if (phase === 'promoted' || phase === 'taken back' || now - heardAt < SILENT_MS) return undefined;
  return duration(now - heardAt);
}

function upper(sentence: string): string {
  return sentence.charAt(0).toUpperCase() + sentence.slice(1);
}
