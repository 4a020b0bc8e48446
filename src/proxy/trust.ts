/** Proxies trusted to report the client address. Pure text. */
import type { Site } from './proxy.ts';
import { block } from './text.ts';

type Trusting = Pick<Site, 'trustedProxies'>;

/** Marks a site behind a balancer. At boot, a program lets nginx start once such sites' processes answer. */
export const BALANCED = '# Behind a balancer.';

export function trusts(site: Trusting): boolean {
  return (site.trustedProxies ?? []).length > 0;
}

/** A variable that is 1 if the connection comes from one of them. */
export function proxies(site: Trusting, id: string): string {
  const networks = (site.trustedProxies ?? []).map((network) => `${network} 1;`);
  return block(`geo $realip_remote_addr $${id}_proxy`, ['default 0;', ...networks]);
}

/** The visitor's address is the last one that is not theirs. */
export function trustLines(site: Trusting): string[] {
  if (!trusts(site)) return [];
  const from = (site.trustedProxies ?? []).map((network) => `set_real_ip_from ${network};`);
  return [...from, 'real_ip_header X-Forwarded-For;', 'real_ip_recursive on;'];
}
