/** `pipeline monitor preview`: when rules of one's own would have fired. */
import { RuleMistake } from '../../config/own-rules/mistake.ts';
import { parseRule } from '../../config/own-rules/parse.ts';
import type { OwnRules } from '../../config/schema.ts';
import { closest, Failure } from '../../errors.ts';
import { duration } from '../../format.ts';
import type { PreviewAnswer } from '../../hub/preview.ts';
import { ownText } from '../../watching/desired.ts';
import { checkOwnRules } from '../../watching/own-rules.ts';
import { askHub, type MonitorPlace, withMonitor } from '../../watching/place.ts';
import { argument, type Handler, type Session } from '../command.ts';
import type { definitions } from '../definitions.ts';
import { table } from '../table.ts';

const WEEK_MS = 7 * 86_400_000;
/** As many are listed; `--json` has all. */
const MOST = 20;

export const monitorPreview: Handler<typeof definitions.monitorPreview> = (options, session) => {
  const wanted = argument(session, 0);
  const ms = options.last ?? WEEK_MS;
  if (ms > WEEK_MS)
    throw new Failure('usage', `the monitor keeps minutes for 7 days, not for ${duration(ms)}`, {
      next: 'Say --last 7d or less.',
    });
  return withMonitor(options.inventory, session, async (connection, place) => {
    const rules = rulesWanted(wanted, place);
    checkOwnRules(rules, place);
    const input = JSON.stringify(ownText(rules));
    const answer = (await askHub(connection, ['preview', String(ms)], session, { input })) as PreviewAnswer;
    show(answer, ms, session);
    return { json: answer };
  });
};

/** All of pipeline.yml, one of them by name, or one in words. @throws Failure `usage` */
function rulesWanted(wanted: string | undefined, { config }: MonitorPlace): OwnRules {
  const { own } = config.alerts;
  if (wanted === undefined) {
    if (Object.keys(own).length > 0) return own;
    throw new Failure('usage', `${config.path} has no rules of your own`, {
      next: 'Try one: pipeline monitor preview "cpu > 90% for 5m"',
    });
  }
  const known = own[wanted];
  if (known !== undefined) return { [wanted]: known };
  if (/^[a-z][a-z0-9_-]*$/.test(wanted)) {
    const guess = closest(wanted, Object.keys(own));
    throw new Failure('usage', `alerts: own: has no rule "${wanted}"`, {
      next:
        guess === undefined
          ? 'Give its name, or a rule in quotes: "cpu > 90% for 5m".'
          : `Did you mean ${guess}?`,
    });
  }
  try {
    return { preview: { ...parseRule(wanted), severity: 'warning' } };
  } catch (mistake) {
    if (!(mistake instanceof RuleMistake)) throw mistake;
    throw new Failure('usage', mistake.message, {
      output: [wanted, `${' '.repeat(Math.max(0, mistake.at - 1))}^`],
      next: 'docs/alerts.md has the words of rules.',
    });
  }
}

function show({ since, until, rules }: PreviewAnswer, asked: number, { output }: Session): void {
  if (since === null) {
    output.line('The monitor has kept nothing of that time yet: nothing can be said.');
    return;
  }
  const kept = until - since;
  // Minutes are written once they are over.
  const short = kept < asked - 10 * 60_000;
  const time = `the last ${duration(Math.round((short ? kept : asked) / 60_000) * 60_000)}`;
  const all = short ? ', all that the monitor has kept' : '';
  for (const { name, text, count, firings } of rules) {
    output.line(name === 'preview' ? text : `${name}: ${text}`);
    const times =
      count === 0 ? 'not have fired' : count === 1 ? 'have fired once' : `have fired ${count} times`;
    output.line(`  would ${times} in ${time}${all}`);
    const rows = firings
      .slice(-MOST)
      .map(({ from, until: end, message }) => [
        `  ${new Date(from).toLocaleString('sv').slice(0, 16)}`,
        end === undefined ? 'lasts' : duration(end - from),
        message,
      ]);
    if (rows.length > 0) for (const line of table(['  told', 'for', 'at its worst'], rows)) output.line(line);
    if (firings.length > MOST) output.line(`  (the last ${MOST}; --json has all)`);
  }
}
