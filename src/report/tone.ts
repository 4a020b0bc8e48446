/** How a metric's verdict is coloured. */
import type { MetricResult } from '../judge/types.ts';

/** Only a metric that can fail a canary is shown as harm; an informative one stays open. */
export function toneOf(metric: MetricResult): 'pass' | 'harm' | 'open' | 'none' {
  if (metric.verdict === 'pass') return 'pass';
  if (metric.verdict === 'high' || metric.verdict === 'low') {
    if (metric.role === 'informative') return 'open';
    // To the sequential judge low is an improvement; to Kayenta's, a difference.
    return metric.verdict === 'low' && metric.evidence !== null ? 'pass' : 'harm';
  }
  return metric.verdict === 'inconclusive' ? 'open' : 'none';
}
