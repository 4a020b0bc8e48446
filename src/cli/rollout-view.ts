/** A rollout on a terminal. Pure: lines out. */
import type { RolloutMetric, RolloutPhase, RolloutStatus, SideRelease } from '../contract/rollout.ts';
import { duration } from '../format.ts';
import type { Colors } from './output.ts';
import { table } from './table.ts';

const BAR = 10;

/** What will happen, before it does. */
export function rolloutIntroduction(status: RolloutStatus): string[] {
  const { app, baseline, candidate, steps, alarm } = status;
  const times = Math.round(alarm);
  return [
    `${app}: ${side(baseline)} serves, ${side(candidate)} is let in:`,
    `  ${steps.join(' → ')} % of visitors, told apart by ${status.by}`,
    `Goes back on its own when the evidence of harm is worth ${times} to 1;`,
    `  a version as good as ${baseline.ref} is taken back in at most 1 of ${times} rollouts.`,
    'The host decides. Ctrl-C leaves this view, not the rollout.',
  ];
}

function side({ ref, commit }: SideRelease): string {
  return commit === null ? ref : `${ref} (${commit.slice(0, 7)})`;
}

/** What is drawn again at every look. */
export function rolloutFrame(status: RolloutStatus, colors: Colors): string[] {
  const { phase, percent, sides, next, metrics, baseline, candidate } = status;
  const clock = new Date(Date.parse(status.at) - Date.parse(status.began)).toISOString().slice(11, 19);
  const visitors = sides.candidate.visitors + sides.baseline.visitors;
  const requests = sides.candidate.requests + sides.baseline.requests;
  const rows = metrics.map((metric) => [
    metric.name,
    figure(metric, 'baseline'),
    figure(metric, 'candidate'),
    harm(metric, status, colors),
  ]);
  const names = sameNames(baseline, candidate) ? ['before', 'new'] : [baseline.ref, candidate.ref];
  return [
    `  ${colors.bold(clock)}  ${share(percent)}   ` +
      `visitors ${count(sides.candidate.visitors)} of ${count(visitors)}   ` +
      `requests ${count(sides.candidate.requests)} of ${count(requests)}` +
      `${phase === 'running' ? '' : `   ${phase}`}`,
    ...table(['metric', ...names, 'evidence of harm'], rows).map((line) => `  ${line}`),
    ...(next === null ? [] : [colors.dim(`  next: ${share(next.percent)} waits for ${next.waitsFor}`)]),
  ];
}

function sameNames(baseline: SideRelease, candidate: SideRelease): boolean {
  return baseline.ref === candidate.ref;
}

/** One line for logs and pipes. */
export function rolloutLine({ percent, sides, began, at, next }: RolloutStatus): string {
  const seconds = Math.round((Date.parse(at) - Date.parse(began)) / 1000);
  const { visitors, requests, failed } = sides.candidate;
  const figures = `${count(visitors)} visitors, ${count(requests)} requests, ${count(failed)} failed`;
  const waits = next === null ? '' : `; ${share(next.percent)} waits for ${next.waitsFor}`;
  return `  ${duration(seconds * 1000)}  ${share(percent)}  new version: ${figures}${waits}`;
}

/** What became of it. */
export function rolloutEnd(status: RolloutStatus, colors: Colors): string[] {
  const { app, phase, candidate, baseline, events } = status;
  const why = events.at(-1)?.why ?? '';
  const because = why === '' ? '' : `: ${why}`;
  switch (phase) {
    case 'promoted':
      return [
        `${colors.green('Promoted')}${because}. ${candidate.release} serves all visitors.`,
        `Back: pipeline rollback ${app}`,
      ];
    case 'taken back':
      return [
        `${colors.red('Taken back')}${because}. ${baseline.release} serves all visitors.`,
        `What it printed and answered: pipeline logs ${app} --release ${candidate.release} --requests`,
      ];
    case 'held':
      return [
        `${colors.yellow('Held')} at ${share(status.percent)}${because}. Both versions serve; harm ` +
          'still takes it back.',
        `Decide: pipeline rollout promote ${app}, abort or resume.`,
      ];
    case 'paused':
      return [
        `Paused at ${share(status.percent)}: no further step, and harm still takes it back. pipeline ` +
          `rollout resume ${app}`,
      ];
    case 'running':
      return [`Under way at ${share(status.percent)}. pipeline rollout watch ${app}`];
  }
}

/** 0 promoted (or under way, where that was the question), 5 taken back, 6 held. */
export function rolloutExitCode(phase: RolloutPhase): number {
  return phase === 'taken back' ? 5 : phase === 'held' ? 6 : 0;
}

function figure({ unit, ...of }: RolloutMetric, which: 'baseline' | 'candidate'): string {
  const value = of[which];
  if (value === null) return '–';
  return unit === 'ms' ? duration(value) : `${Number((100 * value).toPrecision(3))} %`;
}

/** How far the evidence has come towards the alarm, on a scale of powers. */
function harm(
  { odds, cleared }: RolloutMetric,
  { alarm, next }: Pick<RolloutStatus, 'alarm' | 'next'>,
  colors: Colors,
): string {
  const share = Math.min(1, Math.max(0, Math.log(odds) / Math.log(alarm)));
  const full = Math.round(share * BAR);
  const words = share < 0.1 ? (cleared || next === null ? 'none' : 'none yet') : `${Math.floor(odds)} to 1`;
  const bar = '█'.repeat(full) + '░'.repeat(BAR - full);
  return `${share >= 0.5 ? colors.red(bar) : bar} ${words}`;
}

function share(percent: number): string {
  return `${percent} %`;
}

function count(value: number): string {
  return value.toLocaleString('en-US');
}
