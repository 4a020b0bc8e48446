/** Whether rules of one's own speak of hosts and applications that there are. */
import { quantityOf } from '../config/own-rules/quantities.ts';
import type { OwnRules } from '../config/schema.ts';
import { closest, Failure } from '../errors.ts';
import type { MonitorPlace } from './place.ts';

/** @throws Failure `usage` for the first that there is not */
export function checkOwnRules(own: OwnRules, { config, inventory }: MonitorPlace): void {
  const hosts = inventory.targets.map(({ name }) => name);
  const apps = Object.keys(config.apps);
  for (const [name, { conditions }] of Object.entries(own))
    for (const { quantity, subject } of conditions) {
      const { about } = quantityOf(quantity);
      const known = about === 'host' ? hosts : apps;
      if (subject === undefined || known.includes(subject)) continue;
      const what = about === 'host' ? 'host' : 'application';
      const guess = closest(subject, known);
      throw new Failure('usage', `alerts: own: ${name}: there is no ${what} "${subject}"`, {
        next: guess === undefined ? `Known: ${known.join(', ') || 'none'}.` : `Did you mean ${guess}?`,
      });
    }
}
