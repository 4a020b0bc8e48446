/** The figures that matter most, large. */
export interface Tile {
  readonly label: string;
  readonly value: string;
  readonly bad?: boolean;
}

export function Tiles({ tiles }: { readonly tiles: readonly Tile[] }) {
  return (
    <dl class="tiles">
      {tiles.map(({ label, value, bad }) => (
        <div key={label} class={bad ? 'bad' : undefined}>
          <dt>{label}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}
