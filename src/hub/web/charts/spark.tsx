/** A small line of the last hour. */
const [WIDTH, HEIGHT] = [72, 20];

/** Points of the pieces of the line: a gap parts them. */
function sparkPieces(values: readonly (number | null)[], most: number): string[] {
  const pieces: string[][] = [[]];
  values.forEach((value, index) => {
    if (value === null) {
      pieces.push([]);
      return;
    }
    const x = (index / Math.max(1, values.length - 1)) * WIDTH;
    const y = HEIGHT - 2 - (Math.min(value, most) / most) * (HEIGHT - 4);
    pieces.at(-1)?.push(`${x.toFixed(1)},${y.toFixed(1)}`);
  });
  return pieces.filter(({ length }) => length > 0).map((points) => points.join(' '));
}

interface Props {
  readonly values: readonly (number | null)[];
  /** Least height of the axis: a quiet line stays low. */
  readonly least: number;
}

export function Spark({ values, least }: Props) {
  const most = Math.max(least, ...values.map((value) => value ?? 0));
  return (
    <svg class="spark" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" aria-hidden="true">
      {sparkPieces(values, most).map((points) => (
        <polyline key={points} points={points} />
      ))}
    </svg>
  );
}
