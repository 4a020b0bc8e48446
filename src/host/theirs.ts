/** Nothing of somebody else's is lost without a question: what stands in the way of a plan. Pure. */

import { Failure } from '../errors.ts';
import type { Theirs } from './change.ts';

/**
 * Ids of what may go (`Theirs`), or everything that a yes helps with: on a host that was made a moment ago.
 */
export type Agreed = ReadonlySet<string> | 'everything';

/** Lines of one finding that people see; a host may have hundreds of databases. */
const SHOWN = 12;

/** What nobody said yes to yet. */
export function unagreed(theirs: readonly Theirs[], agreed: Agreed): readonly Theirs[] {
  const may = (id: string) => agreed === 'everything' || agreed.has(id);
  return theirs.filter(({ id, fate }) => fate === 'stop' || (fate === 'ask' && !may(id)));
}

/** For people: what becomes of them, and then each thing. */
export function theirsLines({ id, says, found }: Theirs): readonly string[] {
  const more = found.length - SHOWN;
  return [
    `${id.replace(/^theirs /, '')}: ${says}`,
    ...found.slice(0, SHOWN).map((line) => `  ${line}`),
    ...(more > 0 ? [`  and ${more} more`] : []),
  ];
}

/**
 * @throws Failure `usage` where the plan would take something that nobody said yes to. Nothing was touched.
 */
export function requireAgreed(host: string, theirs: readonly Theirs[], agreed: Agreed = new Set()): void {
  const open = unagreed(theirs, agreed);
  const [first] = open.toSorted((a, b) => Number(b.fate === 'stop') - Number(a.fate === 'stop'));
  if (first === undefined) return;
  const stops = first.fate === 'stop';
  throw new Failure(
    'usage',
    stops
      ? `${host}: ${first.id.replace(/^theirs /, '')}: ${first.says}. Nothing was touched.`
      : `${host} has what would be lost, and nobody agreed to that. Nothing was touched.`,
    {
      host,
      step: first.id,
      output: stops ? first.found.slice(0, SHOWN) : open.flatMap(theirsLines),
      next:
        first.next ??
        'See it with pipeline prod plan -i INVENTORY. pipeline prod up -i INVENTORY asks you, or ' +
          'takes --yes.',
    },
  );
}
