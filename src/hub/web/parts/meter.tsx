/** A share as a bar and a figure. */
import { figure } from '../state/format.ts';

/** Shares from which it is worth a look, and broken. */
const [LOOK, BROKEN] = [0.8, 0.92];

export function Meter({ share }: { readonly share: number | null }) {
  if (share === null) return <span class="dim">–</span>;
  const level = share >= BROKEN ? 'broken' : share >= LOOK ? 'look' : 'well';
  const width = Math.max(0, Math.min(1, share)) * 100;
  return (
    <span class={`meter ${level}`}>
      <span class="figure">{figure(share, 'ratio')}</span>
      <svg viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true">
        <rect class="back" width="100" height="4" />
        <rect width={width} height="4" />
      </svg>
    </span>
  );
}
