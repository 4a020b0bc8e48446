import { describe, expect, it } from 'vitest';
import { escapeHtml, escapeMarkdown, escapeTerminal, fenced } from '../../src/escape.ts';
import { parseReport } from '../../src/report/document.ts';
import { embeddedReport, renderHtml } from '../../src/report/html.ts';
import { NO_EVIDENCE } from '../../src/report/html-charts.ts';
import { reportJson } from '../../src/report/json.ts';
import { renderMarkdown } from '../../src/report/markdown.ts';
import {
  introduction,
  liveFrame,
  type Palette,
  progressLine,
  resultLines,
} from '../../src/report/terminal.ts';
import { metric, report, simulate, verdict } from './sample.ts';

const plain: Palette = { bold: String, dim: String, red: String, green: String, yellow: String };

const HOSTILE = '</script><img src=x onerror=alert(1)>"\'`|[a](javascript:b)\u001b[31m\u202e@all';

/** A report in which whatever can come from outside is hostile. */
function hostile() {
  const seconds = simulate(5, {}, { errors: 0.5 }, { routes: [HOSTILE, 'GET /ok'] });
  const results = [
    metric(`latency p50 ${HOSTILE}`, 'latency', { route: HOSTILE, reason: HOSTILE }),
    metric('errors (5xx)', 'errors-5xx', {
      verdict: 'high',
      role: 'critical',
      unit: 'share',
      observed: { baseline: 0, candidate: 0.5 },
    }),
  ];
  const side = report([], verdict([])).baseline;
  return report(
    seconds,
    verdict(results, {
      verdict: 'failed',
      reason: HOSTILE,
      notes: [HOSTILE],
      decidedBy: [`latency p50 ${HOSTILE}`],
    }),
    {
      app: HOSTILE,
      source: HOSTILE,
      baseline: { ...side, ref: HOSTILE, subject: HOSTILE, host: HOSTILE },
      differences: [{ request: HOSTILE, baseline: HOSTILE, candidate: HOSTILE, status: 200 }],
      logs: { baseline: [HOSTILE], candidate: [`Error: ${HOSTILE}`] },
      events: [{ at: 2, side: 'candidate', kind: 'restarted', detail: HOSTILE }],
      remarks: [HOSTILE],
      plan: {
        ...report([], verdict([])).plan,
        ignoreBody: [HOSTILE],
        requests: [
          {
            name: HOSTILE,
            method: HOSTILE,
            path: { baseline: HOSTILE, candidate: 'b' },
            weight: 1,
            bodyBytes: 1,
          },
        ],
      },
      hosts: [{ name: HOSTILE, role: 'proxy', versions: { [HOSTILE]: HOSTILE } }],
    },
  );
}

/** Does it hold what moves a cursor or turns the direction of text around? */
const hides = (text: string) => [...'\u001b\u0007\u202e'].some((character) => text.includes(character));

describe('text from outside', () => {
  it('is harmless in HTML, Markdown and terminals', () => {
    expect(/[<>"']/.test(escapeHtml(HOSTILE)) || hides(escapeHtml(HOSTILE))).toBe(false);
    expect(escapeTerminal('a\u001b]0;title\u0007\nb')).toBe('a�]0;title� b');
    expect(escapeMarkdown('a|b [x](http://y) <b> @me *z*')).toBe(
      'a\\|b \\[x\\]\\(http&#58;//y\\) &lt;b&gt; &#64;me \\*z\\*',
    );
    expect(fenced(['```', 'x'])).toBe('````\n```\nx\n````');
  });

  it('never becomes markup in the page', () => {
    const page = renderHtml(hostile(), {
      at: [1, 2],
      harm: [{ name: HOSTILE, shares: [0.5, 1] }],
      noHarm: [{ name: HOSTILE, shares: [0.5, 1] }],
    });
    expect(page.match(/<script/g)).toHaveLength(1);
    expect(page.match(/<\/script/g)).toHaveLength(1);
    expect(/<img|onerror=alert\(1\)>"/.test(page) || hides(page)).toBe(false);
    expect(/\bsrc=["']?http|\bhref=["']?http|@import|url\(http/.test(page)).toBe(false);
  });

  it('never becomes markup in Markdown, nor a command to a terminal', () => {
    const markdown = renderMarkdown(hostile());
    const outside = markdown.replace(/^(`{3,})\n[\s\S]*?\n\1$/gm, '');
    expect(/<img|<\/script|(?<!\\)\]\(|@all/.test(outside) || hides(outside)).toBe(false);
    const report_ = hostile();
    const lines = [
      ...introduction(report_, 0.01),
      ...liveFrame(
        {
          seconds: 3,
          atMost: 120,
          requests: report_.verdict.samples,
          metrics: report_.verdict.metrics,
          needs: HOSTILE.slice(0, 0),
        },
        plain,
      ),
      progressLine({
        seconds: 3,
        atMost: 120,
        requests: report_.verdict.samples,
        metrics: report_.verdict.metrics,
        needs: null,
      }),
      ...resultLines(report_, plain),
    ];
    expect(hides(lines.join(''))).toBe(false);
  });
});

describe('the page', () => {
  it('holds the report, as it is', () => {
    const made = hostile();
    const inside = embeddedReport(renderHtml(made, NO_EVIDENCE));
    expect(parseReport(JSON.parse(inside ?? ''), 'page')).toEqual(made);
  });

  it('is drawn without any data, and without numbers that are none', () => {
    const empty = report(
      [],
      verdict([], {
        verdict: 'inconclusive',
        samples: { baseline: 0, candidate: 0 },
        stoppedAfter: { seconds: 0, requests: 0 },
      }),
      {
        load: null,
      },
    );
    const page = renderHtml(empty, NO_EVIDENCE);
    expect(page).toContain('Inconclusive');
    expect(
      /NaN|Infinity|undefined|null/.exec(page.replace(/<script[\s\S]*<\/script>/, ''))?.[0],
    ).toBeUndefined();
  });

  it.each([
    ['one second', simulate(1, {}, {})],
    ['one side only', simulate(3, {}, {}).map((second) => ({ ...second, candidate: { routes: {} } }))],
    ['latency of zero', simulate(3, { median: 0.1 }, { median: 0.1 })],
    ['ten minutes', simulate(600, {}, {}, { rate: 10 })],
  ])('is drawn with %s', (_, seconds) => {
    const page = renderHtml(
      report(seconds, verdict([metric('memory', 'memory', { unit: 'bytes' })])),
      NO_EVIDENCE,
    );
    expect(
      /NaN|Infinity|undefined|null/.exec(page.replace(/<script[\s\S]*<\/script>/, ''))?.[0],
    ).toBeUndefined();
    expect(page).toContain('<h2>Over time</h2>');
  });

  it('does not grow with the length of the run beyond its data', () => {
    const size = (seconds: number) => {
      const made = report(simulate(seconds, {}, {}, { rate: 20 }), verdict([]));
      return renderHtml(made, NO_EVIDENCE).length - JSON.stringify(made).length;
    };
    expect(size(1_200)).toBeLessThan(size(120) * 2);
  });
});

describe('the table of metrics', () => {
  const withoutData = (count: number) =>
    renderHtml(
      report(
        simulate(3, {}, {}),
        verdict(
          Array.from({ length: count }, (_, i) => metric(`latency p${i}`, 'latency', { verdict: 'no data' })),
        ),
      ),
      NO_EVIDENCE,
    );

  it('says in one row what could not be compared, where that is much', () => {
    expect(withoutData(3)).toContain('Nothing to compare yet: latency p0, latency p1, latency p2</td>');
    expect(withoutData(2)).not.toContain('Nothing to compare yet');
  });
});

describe('the terminal', () => {
  const failed = report(
    simulate(3, {}, { errors: 1 }),
    verdict(
      [
        metric('errors (5xx)', 'errors-5xx', {
          role: 'critical',
          verdict: 'high',
          unit: 'share',
          observed: { baseline: 0, candidate: 1 },
          samples: { baseline: 151, candidate: 146 },
          effect: { name: 'difference', scale: 'difference', value: 1 },
          evidence: { worse: 40, worseThreshold: 6, noWorse: 0, noWorseThreshold: 3, lower: 0 },
        }),
      ],
      {
        verdict: 'failed',
        score: 31.2,
        decidedBy: ['errors (5xx)'],
        reason: 'Everything fails.',
        stoppedAfter: { seconds: 3, requests: 297 },
      },
    ),
    {
      logs: { baseline: ['listening'], candidate: ['listening', 'TypeError: data.split is not a function'] },
    },
  );

  it('reads as sentences without colour', () => {
    expect(resultLines(failed, plain, { json: 'r.json', html: 'r.html' })).toEqual([
      '  metric         baseline   candidate    change        evidence of harm',
      '  errors (5xx)   0 of 151   146 of 146   +100 points   ██████████ beyond doubt  critical',
      '',
      'FAILED after 3 s and 297 requests: score 31 of 100, decided by errors (5xx).',
      '  Everything fails.',
      "  The candidate's log says:",
      '    TypeError: data.split is not a function',
      'Report: r.html',
      'Again: pipeline judge r.json',
    ]);
  });

  it('says first what it will do', () => {
    expect(introduction(failed, 0.01)).toEqual([
      'preview: baseline master (05c965f) against candidate broken (0fb8c1c)',
      'Experiment: 100 requests/s for up to 2 min, each assigned at random, 50 : 50',
      'Rejects when the evidence of harm is worth 100 to 1 over all metrics; a version as good as the ' +
        'baseline is rejected in at most 1 of 100 experiments.',
    ]);
  });

  it('shows the metrics that matter where there are many', () => {
    const many = Array.from({ length: 40 }, (_, index) =>
      metric(`latency p50 GET /${index}`, 'latency', {
        route: `GET /${index}`,
        evidence: {
          worse: index === 31 ? 9 : 0,
          worseThreshold: 6,
          noWorse: 0,
          noWorseThreshold: 3,
          lower: 0,
        },
      }),
    );
    const lines = liveFrame(
      { seconds: 1, atMost: 9, requests: { baseline: 1, candidate: 1 }, metrics: many, needs: null },
      plain,
    );
    expect(lines).toHaveLength(17);
    expect(lines.join('\n')).toContain('GET /31');
    expect(lines.at(-1)).toBe('  and 26 more in the report');
  });

  it('has one line for logs', () => {
    const { metrics, samples } = failed.verdict;
    expect(progressLine({ seconds: 3, atMost: 120, requests: samples, metrics, needs: null })).toBe(
      '  00:03  5,012 requests to the baseline, 4,988 to the candidate; most evidence of harm: errors ' +
        '(5xx) (beyond doubt)',
    );
  });

  it('says in that line what is not judged yet or too little to tell, not that nothing is wrong', () => {
    const said = (...metrics: ReturnType<typeof metric>[]) =>
      progressLine({
        seconds: 3,
        atMost: 120,
        requests: { baseline: 9, candidate: 9 },
        metrics,
        needs: null,
      }).replace(/.*; /, '');
    const evidence = { worse: 0, worseThreshold: 4, noWorse: 0, noWorseThreshold: 4, lower: 0 };
    const lines = metric('error lines', 'error-lines', {
      evidence,
      verdict: 'inconclusive',
      observed: { baseline: 0, candidate: 143 },
    });
    const errors = metric('errors (5xx)', 'errors-5xx', { evidence, verdict: 'pass' });
    expect(said()).toBe('nothing is judged yet');
    expect(said(metric('memory', 'memory', { evidence, role: 'informative', verdict: 'high' }))).toBe(
      'nothing is judged yet',
    );
    expect(said(errors)).toBe('no evidence of harm');
    expect(said(errors, lines)).toBe('too little to tell yet: error lines');
    const untested = { ...lines, evidence: null };
    expect(said(errors, untested)).toBe(
      'no evidence of harm in what is judged (higher, but not judged: error lines)',
    );
  });

  it('is one document for programs, with the keys that were promised', () => {
    expect(Object.keys(reportJson(failed))).toEqual(
      expect.arrayContaining([
        'verdict',
        'score',
        'judge',
        'metrics',
        'baseline',
        'candidate',
        'stoppedAfter',
      ]),
    );
  });
});

describe('a report that is read', () => {
  it('is refused with every problem and where it is', () => {
    const bad = { ...report([], verdict([])), plan: { rate: -1 }, version: 7 };
    expect(() => parseReport(bad, 'r.json')).toThrow(
      expect.objectContaining({
        kind: 'usage',
        message: expect.stringContaining('r.json is not a canary report that this version can read'),
        output: expect.arrayContaining([
          expect.stringMatching(/^version: /),
          expect.stringMatching(/^plan\.rate: /),
        ]),
      }),
    );
  });
});
