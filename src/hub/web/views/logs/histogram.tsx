/** How many lines of each level when. A click shows that stretch of time alone. */
import type { ShownLogLine } from '../../../api-types.ts';
import type { Page } from '../../page.ts';
import { clock, count, moment } from '../../state/format.ts';
import { type Bucket, bucketsOf, LEVELS } from '../../state/logs.ts';

interface Props {
  readonly page: Page;
  readonly lines: readonly ShownLogLine[];
  readonly covered: { readonly from: number; readonly to: number };
}

const HEIGHT = 100;

export function Histogram({ page, lines, covered }: Props) {
  const { place, go } = page;
  const buckets = bucketsOf(lines, covered);
  const most = Math.max(1, ...buckets.map(total));
  return (
    <figure class="histogram">
      <svg viewBox={`0 0 ${buckets.length} ${HEIGHT}`} preserveAspectRatio="none" role="img">
        <title>{summary(lines)}</title>
        {buckets.map((bucket, index) => (
          // biome-ignore lint/a11y/useSemanticElements: SVG has no button.
          <g
            key={bucket.from}
            class="bucket"
            role="button"
            tabIndex={total(bucket) === 0 ? -1 : 0}
            aria-label={`${moment(bucket.from, true)}: ${wordsOf(bucket)}`}
            onClick={() => go({ ...place, from: bucket.from, to: bucket.to })}
            onKeyDown={(event) => event.key === 'Enter' && go({ ...place, from: bucket.from, to: bucket.to })}
          >
            <title>{`${moment(bucket.from, true)}: ${wordsOf(bucket)}`}</title>
            <rect class="ground" x={index} y={0} width={1} height={HEIGHT} />
            {bars(bucket, most).map(({ level, y, height }) => (
              <rect key={level} class={level} x={index + 0.08} y={y} width={0.84} height={height} />
            ))}
          </g>
        ))}
      </svg>
      <figcaption class="dim">
        <span>{moment(covered.from)}</span>
        <span>{clock(covered.to, false)}</span>
      </figcaption>
    </figure>
  );
}

function total({ counts }: Bucket): number {
  return counts.reduce((sum, number) => sum + number, 0);
}

function bars({ counts }: Bucket, most: number) {
  let y = HEIGHT;
  // The worst at the bottom, where they are compared best.
  return LEVELS.flatMap((level, index) => {
    const height = ((counts[index] ?? 0) / most) * HEIGHT;
    y -= height;
    return height === 0 ? [] : [{ level, y, height }];
  });
}

function wordsOf({ counts }: Bucket): string {
  const words = LEVELS.flatMap((level, index) =>
    (counts[index] ?? 0) === 0 ? [] : [`${count(counts[index] ?? 0)} ${level}`],
  );
  return words.join(', ') || 'nothing';
}

function summary(lines: readonly ShownLogLine[]): string {
  const words = LEVELS.flatMap((level) => {
    const number = lines.filter((line) => line.level === level).length;
    return number === 0 ? [] : [`${count(number)} ${level}`];
  });
  return `Lines by level: ${words.join(', ')}`;
}
