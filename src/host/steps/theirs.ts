/** What somebody else has on the host: looked for, never touched. */

import { quote } from '../../ssh/quote.ts';
import type { Facts } from '../state.ts';
import { only, type Probe } from './step.ts';
import look from './theirs.sh' with { type: 'text' };

export const theirsProbe: Probe<Pick<Facts, 'theirs'>> = {
  script: (resources) => {
    const all = only(resources, 'theirs');
    if (all.length === 0) return '';
    return [look, ...all.map((one, index) => `look ${index} ${quote(`${one.look}\n`)}`)].join('\n');
  },
  parse: (lines, resources) => {
    const found = lines.map((line) => /^(\d+)\t(.*)$/.exec(line));
    return {
      theirs: Object.fromEntries(
        only(resources, 'theirs').map(({ name }, index) => [
          name,
          found.flatMap((match) => (match?.[1] === String(index) ? [match[2] ?? ''] : [])),
        ]),
      ),
    };
  },
};
