/** How a metric's verdict is coloured. */
import type { MetricResult } from '../judge/types.ts';

/** Only a metric that can fail a canary is shown as harm; what is merely reported is open. */
export function toneOf(metric: MetricResult): 'pass' | 'harm' | 'open' | 'none' {
  if (metric.verdict === 'pass') return 'pass';
  if (metric.verdict === 'high' || metric.verdict === 'low') {
    return metric.role === 'informative' ? 'open' : 'harm';
  }
  return metric.verdict === 'inconclusive' ? 'open' : 'none';
}
