/**
 * Canaries of the example service on real local hosts.
 *
 *   node bench/run.mjs canary             good against broken: seconds from the command, also to its end
 *   node bench/run.mjs canary --timeline  the same, and when each stage began and ended
 *   node bench/run.mjs canary --itself 20 good against good so many times in a row: none may be rejected
 *
 * Both take [--seconds 60] [--rate 100] [--keep FOLDER, for the reports]; the first also [--runs 3].
 *
 * Builds, Node and images come from the cache after the first; hosts are made anew for each of good against
 * broken and kept for the others.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { CanaryReport } from '../../src/report/document.ts';
import { type CanaryLab, canaryLab } from '../../test/canary/lab.ts';

const { values } = parseArgs({
  options: {
    itself: { type: 'string', default: '0' },
    runs: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '60' },
    rate: { type: 'string', default: '100' },
    timeline: { type: 'boolean', default: false },
    keep: { type: 'string' },
  },
});

function save(report: CanaryReport, name: string): void {
  if (values.keep === undefined) return;
  mkdirSync(values.keep, { recursive: true });
  writeFileSync(join(values.keep, `${name}.json`), JSON.stringify(report));
}

/** Runs one canary; seconds from the command until the verdict, and until the hosts are removed or kept. */
async function timed(lab: CanaryLab, baseline: string, candidate: string, seed: number, keep: boolean) {
  const began = performance.now();
  const elapsed = () => (performance.now() - began) / 1000;
  const said = (what: string) => {
    if (values.timeline) console.log(`${elapsed().toFixed(2).padStart(7)} s  ${what.trim()}`);
  };
  let verdictAt = 0;
  const { report } = await lab.run(
    baseline,
    candidate,
    { seed, keep, durationMs: Number(values.seconds) * 1000, rate: Number(values.rate) },
    {
      context: {
        progress: ({ host = '', stage, state, detail = '' }) => {
          if (values.timeline && state !== 'running') said(`${host} ${stage} ${state} ${detail}`);
        },
      },
      listener: {
        onHosts: () => said('hosts'),
        onPlan: () => said('both sides answer'),
        onSnapshot: ({ seconds }) => said(`second ${Math.floor(seconds)} was judged`),
        onResult: () => {
          verdictAt = elapsed();
        },
      },
    },
  );
  return { report, verdictAt, endedAt: elapsed() };
}

const lab = await canaryLab();
const itself = Number(values.itself);
try {
  if (itself === 0) {
    for (let run = 1; run <= Number(values.runs); run++) {
      const { report, verdictAt, endedAt } = await timed(lab, 'good', 'broken', run, false);
      save(report, `broken-${run}`);
      const { verdict, stoppedAfter } = report.verdict;
      console.log(
        `good against broken, new hosts: ${verdict} ${verdictAt.toFixed(1)} s after the command, ` +
          `${stoppedAfter.seconds} s after the first request (${stoppedAfter.requests} requests); ` +
          `all ended after ${endedAt.toFixed(1)} s`,
      );
    }
  } else {
    const counts = { passed: 0, failed: 0, inconclusive: 0 };
    for (let run = 1; run <= itself; run++) {
      const { report } = await timed(lab, 'good', 'good', run, true);
      save(report, `itself-${run}`);
      counts[report.verdict.verdict]++;
      const { seconds, requests } = report.verdict.stoppedAfter;
      console.log(
        `${String(run).padStart(3)}  ${report.verdict.verdict.padEnd(12)} after ${seconds} s and ` +
          `${requests} requests, score ${report.verdict.score}  ${report.verdict.needs ?? ''}`,
      );
    }
    console.log(
      `\n${itself} runs of a version against itself: ${counts.passed} passed, ${counts.inconclusive} ` +
        `inconclusive, ${counts.failed} rejected`,
    );
    if (counts.failed > 0) process.exitCode = 1;
  }
} finally {
  await lab.stop();
}
