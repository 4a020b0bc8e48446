/**
 * Deploys, rollbacks and canaries as thin lines with their commit, or with their step. Text on a canvas is
 * only ever text.
 */
import type uPlot from 'uplot';
import type { HubEvent } from '../../api-types.ts';
import { eventName } from '../state/event-name.ts';

/** Names closer together than this are left out; the line stays. */
const APART = 64;

export interface EventColors {
  readonly line: string;
  /** Behind the name, so that lines do not cross it. */
  readonly back: string;
}

export function drawEvents(u: uPlot, events: readonly HubEvent[], colors: EventColors): void {
  const { ctx, bbox } = u;
  const ratio = devicePixelRatio;
  ctx.save();
  ctx.strokeStyle = colors.line;
  ctx.lineWidth = ratio;
  ctx.textBaseline = 'top';
  ctx.font = `${10 * ratio}px system-ui, sans-serif`;
  let free = Number.NEGATIVE_INFINITY;
  for (const event of events) {
    const x = Math.round(u.valToPos(event.at / 1000, 'x', true)) + 0.5;
    if (x < bbox.left || x > bbox.left + bbox.width) continue;
    ctx.setLineDash(
      event.kind === 'canary' || event.kind === 'rollout' ? [ratio, 2 * ratio] : [4 * ratio, 2 * ratio],
    );
    ctx.beginPath();
    ctx.moveTo(x, bbox.top);
    ctx.lineTo(x, bbox.top + bbox.height);
    ctx.stroke();
    if (x < free) continue;
    const text = eventName(event);
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

/** The event that the cursor stands on, within a few pixels. */
export function eventAt(u: uPlot, events: readonly HubEvent[]): HubEvent | undefined {
  const { left } = u.cursor;
  if (left === undefined || left < 0) return undefined;
  return events.find((event) => Math.abs(u.valToPos(event.at / 1000, 'x') - left) <= 5);
}
