/** The place in the address bar as state: going somewhere is a step in the browser's history. */
import { useCallback, useEffect, useState } from 'preact/hooks';
import { type Place, placeQuery, readPlace } from '../state/place.ts';

/** `replace`: adds no step to the history, e.g. while typing a filter. */
export type Go = (to: Place, how?: 'step' | 'replace') => void;

export function usePlace(): readonly [Place, Go] {
  const [place, setPlace] = useState(() => readPlace(location.search));
  const go = useCallback<Go>((to, how = 'step') => {
    const query = placeQuery(to);
    if (placeQuery(readPlace(location.search)) !== query) {
      if (how === 'step') history.pushState(null, '', query);
      else history.replaceState(null, '', query);
    }
    setPlace((before) => {
      if (before.view !== to.view || before.name !== to.name) scrollTo({ top: 0 });
      return to;
    });
  }, []);
  useEffect(() => {
    const back = () => setPlace(readPlace(location.search));
    addEventListener('popstate', back);
    return () => removeEventListener('popstate', back);
  }, []);
  return [place, go];
}
