/**
 * Which requests of a pair of seconds are trials of a rate, and which of them events; one stratum for each
 * route.
 */
import type { PerSide, RouteSecond, SideSecond } from '../types.ts';
import type { Trials } from './counts.ts';

/** Of each route: all requests, and those that failed. What got no answer counts with the 5xx. */
export function errorTrials(
  { baseline, candidate }: PerSide<SideSecond>,
  status: '4xx' | '5xx',
): readonly Trials[] {
  const routes = new Set([...Object.keys(baseline.routes), ...Object.keys(candidate.routes)]);
  const events = (route: RouteSecond | undefined) => {
    if (route === undefined) return 0;
    return status === '4xx' ? (route.status['4xx'] ?? 0) : failures(route);
  };
  return [...routes].map((name) => ({
    candidateTrials: candidate.routes[name]?.requests ?? 0,
    candidateEvents: events(candidate.routes[name]),
    baselineTrials: baseline.routes[name]?.requests ?? 0,
    baselineEvents: events(baseline.routes[name]),
  }));
}

/** Requests with a 5xx or without any answer. */
function failures({ requests, status }: RouteSecond): number {
  const answeredWell = (status['2xx'] ?? 0) + (status['3xx'] ?? 0) + (status['4xx'] ?? 0);
  return Math.max(0, requests - answeredWell);
}

/** Comparisons of bodies, and those that disagreed. */
export function bodyTrials({ baseline, candidate }: PerSide<SideSecond>): readonly Trials[] {
  return [
    {
      candidateTrials: candidate.bodies?.compared ?? 0,
      candidateEvents: candidate.bodies?.disagreed ?? 0,
      baselineTrials: baseline.bodies?.compared ?? 0,
      baselineEvents: baseline.bodies?.disagreed ?? 0,
    },
  ];
}

/** Requests of a side in a second, over all routes. */
export function requestsOf(second: SideSecond): number {
  return Object.values(second.routes).reduce((sum, route) => sum + route.requests, 0);
}
