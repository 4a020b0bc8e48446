/**
 * Deploys, rollbacks and canaries as thin lines with their commit, or with their step. Text on a canvas is
 * only ever text.
 */
import type uPlot from 'uplot';
import type { HubEvent } from '../../api-types.ts';
import { eventName } from '../state/event-name.ts';

/** Names closer together than this are left out; the line stays. */
const APART = 64;

export interface MarkColors {
  readonly line: string;
  /** Behind the name, so that lines do not cross it. */
  readonly back: string;
}

export function drawMarks(u: uPlot, marks: readonly HubEvent[], colors: MarkColors): void {
  const { ctx, bbox } = u;
  const ratio = devicePixelRatio;
  ctx.save();
  ctx.strokeStyle = colors.line;
  ctx.lineWidth = ratio;
  ctx.textBaseline = 'top';
  ctx.font = `${10 * ratio}px system-ui, sans-serif`;
  let free = Number.NEGATIVE_INFINITY;
  for (const mark of marks) {
    const x = Math.round(u.valToPos(mark.at / 1000, 'x', true)) + 0.5;
    if (x < bbox.left || x > bbox.left + bbox.width) continue;
    ctx.setLineDash(
      mark.kind === 'canary' || mark.kind === 'rollout' ? [ratio, 2 * ratio] : [4 * ratio, 2 * ratio],
    );
    ctx.beginPath();
    ctx.moveTo(x, bbox.top);
    ctx.lineTo(x, bbox.top + bbox.height);
    ctx.stroke();
    if (x < free) continue;
    const text = eventName(mark);
    const width = ctx.measureText(text).width;
    const right = x + 4 * ratio + width <= bbox.left + bbox.width;
    ctx.textAlign = right ? 'left' : 'right';
    ctx.fillStyle = colors.back;
    ctx.fillRect(right ? x + ratio : x - width - 6 * ratio, bbox.top, width + 5 * ratio, 12 * ratio);
    ctx.fillStyle = colors.line;
    ctx.fillText(text, right ? x + 4 * ratio : x - 4 * ratio, bbox.top + ratio);
    free = x + Math.max(APART * ratio, width + 10 * ratio);
  }
  ctx.restore();
}

/** The mark that the cursor stands on, within a few pixels. */
export function markAt(u: uPlot, marks: readonly HubEvent[]): HubEvent | undefined {
  const { left } = u.cursor;
  if (left === undefined || left < 0) return undefined;
  return marks.find((mark) => Math.abs(u.valToPos(mark.at / 1000, 'x') - left) <= 5);
}
