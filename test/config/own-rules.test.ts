import { describe, expect, it } from 'vitest';
import { readConfig } from '../../src/config/mistakes.ts';
import { RuleMistake } from '../../src/config/own-rules/mistake.ts';
import { parseRule } from '../../src/config/own-rules/parse.ts';

describe('the words of a rule', () => {
  it.each([
    [
      'route latency p99 of /api/pay > 800ms for 5m',
      { quantity: 'route latency', quantile: 0.99, part: '/api/pay', operator: '>', value: 800 },
      300_000,
    ],
    [
      'route latency p99.9 of POST /api/pay on shop>=1.5s',
      {
        quantity: 'route latency',
        quantile: 0.999,
        part: 'POST /api/pay',
        subject: 'shop',
        operator: '>=',
        value: 1500,
      },
      0,
    ],
    ['cpu of web > 90 % for 10m', { quantity: 'cpu', subject: 'web', operator: '>', value: 0.9 }, 600_000],
    ['cpu > 0.9', { quantity: 'cpu', operator: '>', value: 0.9 }, 0],
    ['disk of / on web > 80%', { quantity: 'disk', part: '/', subject: 'web', operator: '>', value: 0.8 }, 0],
    ['disk busy > 50%', { quantity: 'disk busy', operator: '>', value: 0.5 }, 0],
    ['requests on shop < 5/min for 1h', { quantity: 'requests', subject: 'shop', value: 5 / 60 }, 3_600_000],
    ['requests < 1 for 1h', { quantity: 'requests', operator: '<', value: 1 }, 3_600_000],
    ['unit memory of "pipeline-shop@*" > 1.5 GB', { part: 'pipeline-shop@*', value: 1.5e9 }, 0],
    ['network sent of eth0 > 10MB/s', { part: 'eth0', value: 10e6 }, 0],
    ['database connections of "mongodb orders" > 100', { part: 'mongodb orders', value: 100 }, 0],
    ['load > 4 for 90s', { quantity: 'load', value: 4 }, 90_000],
  ])('takes %s', (text, condition, forMs) => {
    const rule = parseRule(text);
    expect(rule.conditions).toHaveLength(1);
    expect(rule.conditions[0]).toMatchObject(condition);
    expect(rule.forMs).toBe(forMs);
  });

  it('joins conditions about the same kind of subject', () => {
    const rule = parseRule('errors > 5% and requests > 10/s for 5m');
    expect(rule.conditions.map(({ quantity, value }) => [quantity, value])).toEqual([
      ['errors', 0.05],
      ['requests', 10],
    ]);
    expect(rule.about).toBe('app');
  });

  it.each([
    ['', 1, /expected what is measured.*found the end/],
    ['cpus > 90%', 1, /"cpus" is nothing that is measured: did you mean "cpu"/],
    ['temperature > 90', 1, /known are cpu, iowait/],
    ['latency > 800ms', 9, /expected p50, p90, p99 or p99.9 after latency, found ">"/],
    ['latency p0 > 800ms', 9, /p50/],
    ['latency p99 of /api/pay > 800ms', 16, /not an application: a route has "route latency"/],
    ['route latency p99 of > 800ms', 22, /expected a route after "of"/],
    ['cpu 90%', 5, /expected >, >=, < or <=, found "90%"/],
    ['cpu = 90%', 5, /expected >, >=, < or <=, found "="/],
    ['cpu > ninety', 7, /expected a value for cpu, found "ninety"/],
    ['cpu > 90', 7, /at most 100 %.*write 90% or 0.9/],
    ['cpu > 90ms', 7, /expected a share like 90% or 0.9, found "90ms"/],
    ['latency p99 > 800', 15, /expected a duration like 800ms or 2s, found "800"/],
    ['latency p99 > 800constructor', 15, /expected a duration/],
    ['load > -1', 8, /expected a number without a unit, found "-1"/],
    ['cpu > 90% for', 14, /expected a duration like 5m, found the end/],
    ['cpu > 90% for 5', 15, /expected a duration like 5m, found "5"/],
    ['cpu > 90% for 2d', 15, /at most 24h/],
    ['cpu > 90% during 5m', 11, /expected "and", "for" with a duration, or the end, found "during"/],
    ['cpu > 90% for 5m please', 18, /expected the end, found "please"/],
    ['cpu > 90% and errors > 1%', 15, /about hosts or about applications/],
    ['cpu on web on db > 1%', 12, /"on" says again/],
    ['disk of / of /var > 1%', 11, /"of" says again/],
  ])('says where %s is wrong', (text, at, message) => {
    const read = () => parseRule(text);
    expect(read).toThrow(RuleMistake);
    expect(read).toThrow(message);
    expect(read).toThrow(expect.objectContaining({ at }));
  });
});

describe('monitor: status_page:', () => {
  const read = (page: string) =>
    readConfig(`project: p\nhosts: { monitor: {} }\nmonitor: { status_page: ${page} }\n`);

  it.each([
    ['{}', 'monitor.status_page.title', /is missing/],
    ['{ title: "" }', 'monitor.status_page.title', /expected/],
    ['{ title: x, apps: { shop: Shop } }', 'monitor.status_page.apps.shop', /unknown application "shop"/],
    ['{ title: x, folder: /etc }', 'monitor.status_page.folder', /below \/srv or \/mnt/],
    ['{ title: x, folder: /srv/../etc }', 'monitor.status_page.folder', /below \/srv or \/mnt/],
    ['{ title: x, push: somewhere }', 'monitor.status_page.push', /url/i],
    ['yes', 'monitor.status_page', /expected a mapping/],
  ])('refuses %s', (page, path, message) => {
    const { mistakes } = read(page);
    expect(mistakes[0]).toMatchObject({ path, message: expect.stringMatching(message) });
  });
});

describe('alerts: own:', () => {
  const read = (own: string) => readConfig(`project: p\nhosts: { web: {} }\nalerts:\n  own:\n    ${own}\n`);

  it('takes a rule in words, or with how grave it is', () => {
    const { values } = read("slow: 'cpu > 90% for 5m'\n    full: { when: disk > 80%, severity: critical }");
    expect(values?.alerts.own).toMatchObject({
      slow: { text: 'cpu > 90% for 5m', severity: 'warning', forMs: 300_000 },
      full: { severity: 'critical', about: 'host' },
    });
  });

  it.each([
    ['slow: cpu 90%', 'alerts.own.slow', /at character 5: expected >, >=, < or <=, found "90%"/],
    ['slow: { when: cpu > }', 'alerts.own.slow.when', /at the end: expected a value for cpu/],
    ['disk: cpu > 90%', 'alerts.own.disk', /the name of a rule of alerts: rules:/],
    ['Slow: cpu > 90%', 'alerts.own.Slow', /lower-case/],
    ['slow: { when: cpu > 90%, severity: grave }', 'alerts.own.slow.severity', /warning or critical/],
    ['slow: 5', 'alerts.own.slow', /expected/],
  ])('refuses %s', (own, path, message) => {
    const { mistakes } = read(own);
    expect(mistakes).toHaveLength(1);
    expect(mistakes[0]).toMatchObject({ line: 5, path, message: expect.stringMatching(message) });
  });
});
