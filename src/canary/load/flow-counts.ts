/** How many visitors came to the end of each flow. */
import { SIDES, type SideName } from '../../judge/sides.ts';

interface Side {
  began: number;
  ended: number;
  /** Step → visitors who came no further. */
  readonly stuck: Map<string, number>;
}

export class FlowCounts {
  readonly #flows: readonly { readonly name: string; readonly sides: Readonly<Record<SideName, Side>> }[];

  constructor(names: readonly string[]) {
    const side = (): Side => ({ began: 0, ended: 0, stuck: new Map() });
    this.#flows = names.map((name) => ({ name, sides: { baseline: side(), candidate: side() } }));
  }

  /** A visit is over. @param endedAt the step that let the visitor go no further; null: none */
  count(flow: number, side: SideName, endedAt: string | null): void {
    const counts = this.#flows[flow]?.sides[side];
    if (counts === undefined) return;
    counts.began++;
    if (endedAt === null) counts.ended++;
    else counts.stuck.set(endedAt, (counts.stuck.get(endedAt) ?? 0) + 1);
  }

  /** A sentence for each flow that somebody took. */
  remarks(): readonly string[] {
    return this.#flows.flatMap(({ name, sides }) => {
      const all = SIDES.reduce((sum, side) => sum + sides[side].began, 0);
      if (all === 0) return [];
      const said = SIDES.map(
        (side) => `${sides[side].ended} of the ${side}'s ${sides[side].began}${stuckAt(sides[side])}`,
      );
      return [`Visitors who came to the end of "${name}": ${said.join(', ')}.`];
    });
  }
}

function stuckAt({ stuck }: Side): string {
  const [most] = [...stuck].sort(([, a], [, b]) => b - a);
  return most === undefined ? '' : ` (most others ended at ${most[0]})`;
}
