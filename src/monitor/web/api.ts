/** The hub's API, and the place in the address bar that says what is shown. */
export class SignedOut extends Error {}

export async function get<T>(path: string, signal?: AbortSignal): Promise<T> {
  const response = await fetch(path, signal === undefined ? {} : { signal });
  if (response.status === 401) throw new SignedOut();
  const answer = (await response.json()) as T & { error?: string };
  if (!response.ok) throw new Error(answer.error ?? `The hub answered ${response.status}.`);
  return answer;
}

export async function post(path: string, body: unknown): Promise<void> {
  const response = await fetch(path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  if (response.ok) return;
  const answer = (await response.json().catch(() => ({}))) as { error?: string };
  throw new Error(answer.error ?? `The hub answered ${response.status}.`);
}

/** What is shown. All of it stands in the address bar. */
export interface Place {
  readonly kind: 'host' | 'app';
  readonly name: string;
  readonly range: string;
  readonly baseline: string;
  readonly candidate: string;
}

export const RANGES: Readonly<Record<string, number>> = {
  '5m': 5 * 60,
  '30m': 30 * 60,
  '1h': 3600,
  '6h': 6 * 3600,
  '24h': 86_400,
  '7d': 7 * 86_400,
  '30d': 30 * 86_400,
  '90d': 90 * 86_400,
};

export function readPlace(search: string): Place {
  const query = new URLSearchParams(search);
  const range = query.get('range') ?? '';
  return {
    kind: query.has('app') ? 'app' : 'host',
    name: query.get('app') ?? query.get('host') ?? '',
    range: Object.hasOwn(RANGES, range) ? range : '30m',
    baseline: query.get('baseline') ?? '',
    candidate: query.get('candidate') ?? '',
  };
}

export function placeQuery({ kind, name, range, baseline, candidate }: Place): string {
  const query = new URLSearchParams({ [kind]: name, range });
  if (baseline !== '' && candidate !== '') {
    query.set('baseline', baseline);
    query.set('candidate', candidate);
  }
  return `?${query}`;
}
