/** Which events are shown. */
import type { Page } from '../../page.ts';

const KINDS: readonly (readonly [kind: string, title: string])[] = [
  ['', 'All'],
  ['deploy', 'Deploys'],
  ['rollback', 'Rollbacks'],
  ['rollout', 'Rollouts'],
  ['canary', 'Canaries'],
  ['change', 'Changes'],
];

export function Filter({ page }: { readonly page: Page }) {
  const { place, go } = page;
  return (
    <div class="filter">
      <fieldset class="chips" aria-label="Kind of event">
        {KINDS.map(([kind, title]) => (
          <button
            type="button"
            key={kind}
            aria-pressed={place.kind === kind}
            onClick={() => go({ ...place, kind })}
          >
            {title}
          </button>
        ))}
      </fieldset>
      <input
        type="search"
        placeholder="Filter: application, host, person, commit"
        aria-label="Filter events"
        value={place.filter}
        onInput={(event) => go({ ...place, filter: event.currentTarget.value }, 'replace')}
      />
    </div>
  );
}
