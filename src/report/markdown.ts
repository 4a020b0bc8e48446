/** The verdict for a pull request: heading, sentence, table, and the rest folded away. */

import { escapeMarkdown, fenced } from '../escape.ts';
import { duration } from '../format.ts';
import type { CanaryReport } from './document.ts';
import { formatEffect, formatInterval, formatNumber, formatSide, harmWord, shortCommit } from './format.ts';

const SIGNS = { passed: '✅ Passed', failed: '❌ Failed', inconclusive: '❔ Inconclusive' } as const;

/** GitHub-flavoured Markdown. */
export function renderMarkdown(report: CanaryReport): string {
  const { verdict, plan } = report;
  const side = (name: 'baseline' | 'candidate') =>
    `${escapeMarkdown(report[name].ref)} ` +
    `(\`${shortCommit(report[name].commit).replace(/[^0-9a-f]/gi, '')}\`)`;
  const rows = verdict.metrics
    .filter((metric) => metric.verdict !== 'no data')
    .map(
      (metric) =>
        `| ${escapeMarkdown(metric.name)}${metric.critical ? ' \\*' : ''} | ` +
        `${formatSide(metric, 'baseline')} | ${formatSide(metric, 'candidate')} | ${formatEffect(metric)} ` +
        `| ${formatInterval(metric)} | ${harmWord(metric)} | ${metric.verdict} |`,
    );
  const missing = verdict.metrics
    .filter((metric) => metric.verdict === 'no data')
    .map((metric) => escapeMarkdown(metric.name));
  const logs = report.logs.candidate.slice(-20);
  const parts = [
    `### Canary of ${escapeMarkdown(report.app)}: ${SIGNS[verdict.verdict]}, score ` +
      `${formatNumber(Math.round(verdict.score))} of 100`,
    `Candidate ${side('candidate')} against baseline ${side('baseline')}: ` +
      `${formatNumber(verdict.samples.candidate)} and ${formatNumber(verdict.samples.baseline)} requests ` +
      `in ${duration(verdict.stoppedAfter.seconds * 1000)}, ${plan.traffic}.`,
    escapeMarkdown(verdict.reason),
    ...(verdict.needs === null ? [] : [`Needs ${escapeMarkdown(verdict.needs)}.`]),
    ...(verdict.notes.length === 0
      ? []
      : [verdict.notes.map((note) => `> ${escapeMarkdown(note)}`).join('\n>\n')]),
    ...(rows.length === 0
      ? []
      : [
          [
            '| metric | baseline | candidate | change | interval | evidence of harm | verdict |',
            '|---|--:|--:|--:|---|---|---|',
            ...rows,
          ].join('\n'),
          `\\* critical: must be shown to be no worse for a ` +
            `pass.${missing.length > 0 ? ` Without data: ${missing.join(', ')}.` : ''}`,
        ]),
    ...(verdict.verdict === 'passed' || logs.length === 0
      ? []
      : [
          `<details><summary>Last lines of the candidate's ` +
            `journal</summary>\n\n${fenced(logs)}\n\n</details>`,
        ]),
    `<sub>pipeline ${escapeMarkdown(report.pipeline)}, judge ${verdict.judge}, seed ${plan.seed}, commits ` +
      `\`${hex(report.baseline.commit)}\` and \`${hex(report.candidate.commit)}\`</sub>`,
  ];
  return `${parts.join('\n\n')}\n`;
}

function hex(commit: string): string {
  return commit.replace(/[^0-9a-f]/gi, '');
}
