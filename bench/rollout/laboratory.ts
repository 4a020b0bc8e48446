/** The laboratory's judge put on sticky traffic as it is: what it says of a version against itself. */
import {
  createSequentialJudge,
  histogramOf,
  observe,
  type Second,
  type SideSecond,
  verdict,
} from '../../src/judge/index.ts';
import { visited } from './simulate.ts';
import { type Request, SAME, type World } from './world.ts';

/** As in `bench/judge`, where it rejects 2 in 1,000 of those whose requests are dealt at random. */
const SECONDS = 120;

/** Whether it rejects the version. `percent`: the candidate's share of the visitors. */
export function rejectsItself(world: World, percent: number, seed: number): boolean {
  const site = visited(world, seed);
  let state = createSequentialJudge();
  for (let at = 0; at < SECONDS; at++) {
    state = observe(state, secondOf(at, site.second(percent, SAME, 1)));
    if (verdict(state).verdict === 'failed') return true;
  }
  return false;
}

function secondOf(at: number, requests: readonly Request[]): Second {
  const side = (name: Request['side']): SideSecond => {
    const own = requests.filter((request) => request.side === name);
    const answered = own.filter(({ failed }) => !failed);
    const status = { '2xx': answered.length, '5xx': own.length - answered.length };
    return {
      routes: {
        'GET /': { requests: own.length, status, latency: histogramOf(answered.map(({ ms }) => ms)) },
      },
    };
  };
  return { at, baseline: side('baseline'), candidate: side('candidate') };
}
