/** Light, dark, or as the system says. */
import { useCallback, useEffect, useState } from 'preact/hooks';

export type Theme = 'system' | 'light' | 'dark';
const KEY = 'pipeline-theme';
const NEXT: Readonly<Record<Theme, Theme>> = { system: 'dark', dark: 'light', light: 'system' };

/** Browsers without storage throw: then the choice lasts as long as the page. */
function storage(): Storage | undefined {
  try {
    return localStorage;
  } catch {
    return undefined;
  }
}

function stored(): Theme {
  const text = storage()?.getItem(KEY);
  return text === 'light' || text === 'dark' ? text : 'system';
}

export interface Themes {
  readonly theme: Theme;
  readonly dark: boolean;
  readonly next: () => void;
}

export function useTheme(): Themes {
  const [theme, setTheme] = useState(stored);
  const [system, setSystem] = useState(() => matchMedia('(prefers-color-scheme: dark)').matches);
  useEffect(() => {
    const query = matchMedia('(prefers-color-scheme: dark)');
    const listen = () => setSystem(query.matches);
    query.addEventListener('change', listen);
    return () => query.removeEventListener('change', listen);
  }, []);
  const next = useCallback(
    () =>
      setTheme((before) => {
        const after = NEXT[before];
        storage()?.setItem(KEY, after);
        return after;
      }),
    [],
  );
  // Before anything that reads colours is drawn.
  const dark = theme === 'system' ? system : theme === 'dark';
  document.documentElement.dataset.theme = theme;
  document.documentElement.toggleAttribute('data-dark', dark);
  return { theme, dark, next };
}
