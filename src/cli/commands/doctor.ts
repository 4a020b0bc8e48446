/** `pipeline doctor`: what this machine, the token and the hosts lack, and how to mend it. */

import type { Handler } from '../command.ts';
import type { definitions } from '../definitions.ts';
import { findings } from '../doctor/checks.ts';
import { counted } from '../output.ts';

export const doctor: Handler<typeof definitions.doctor> = async (options, session) => {
  const { output } = session;
  const all = [];
  for await (const finding of findings(options, session)) {
    all.push(finding);
    const { green, red, yellow, dim } = output.colors;
    const mark = { good: green('✓'), warning: yellow('!'), bad: red('✗') }[finding.state];
    output.line(`${mark} ${finding.subject.padEnd(14)} ${finding.message}`);
    if (finding.next !== undefined) output.line(`  ${' '.repeat(14)} ${dim(finding.next)}`);
  }
  const bad = all.filter(({ state }) => state === 'bad').length;
  output.line();
  output.line(bad === 0 ? 'Nothing stands in the way.' : `${counted(bad, 'thing')} to mend.`);
  return { json: { ok: bad === 0, findings: all }, exitCode: bad === 0 ? 0 : 2 };
};
