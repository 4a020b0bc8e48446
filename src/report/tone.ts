/** How a metric's verdict is coloured. */
import type { MetricResult } from '../judge/types.ts';

/** Only a metric that can fail a canary is shown as harm; what is merely reported is open. */
export function toneOf(metric: MetricResult): 'pass' | 'harm' | 'open' | 'none' {
  if (metric.verdict === 'pass') return 'pass';
  if (metric.verdict === 'high' || metric.verdict === 'low') {
    if (metric.role === 'informative') return 'open';
    // The sequential judge calls an improvement low; Kayenta's, which has no such evidence, a difference.
    return metric.verdict === 'low' && metric.evidence !== null ? 'pass' : 'harm';
  }
  return metric.verdict === 'inconclusive' ? 'open' : 'none';
}
