/** The page after sign-in: everything on the left, the selection on the right. */
import type { RefObject } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import type { SessionUser } from '../api-types.ts';
import { moveFocus, useKeyboard } from './hooks/use-keyboard.ts';
import { usePlace } from './hooks/use-place.ts';
import { useStream } from './hooks/use-stream.ts';
import type { Themes } from './hooks/use-theme.ts';
import { Help } from './layout/help.tsx';
import { Sidebar } from './layout/sidebar.tsx';
import type { Page } from './page.ts';
import type { Action } from './state/keyboard.ts';
import { elsewhere, type Place } from './state/place.ts';
import { View } from './views/view.tsx';

interface Props {
  readonly user: SessionUser;
  readonly themes: Themes;
  readonly onSignedOut: () => void;
}

export function Dashboard({ user, themes, onSignedOut }: Props) {
  const [place, go] = usePlace();
  const [search, setSearch] = useState('');
  const field = useRef<HTMLInputElement>(null);
  const help = useRef<HTMLDialogElement>(null);
  const stream = useStream(subjectOf(place), onSignedOut);
  const { overview } = stream;

  useKeyboard((action: Action) => act(action, { place, go, setSearch, field, help, themes }));
  useEffect(() => {
    const what = place.name === '' ? place.view : place.name;
    document.title = `${what} · pipeline monitor`;
  }, [place.view, place.name]);

  if (overview === undefined)
    return (
      <main class="alone" aria-busy="true">
        <p class="dim" role="status">
          {stream.state === 'again' || stream.state === 'full'
            ? 'The hub does not answer. Trying again.'
            : ''}
        </p>
      </main>
    );
  const page: Page = { place, go, stream, overview, user, search, dark: themes.dark, onSignedOut };
  return (
    <div class="page">
      <a href="#main" class="skip">
        Skip to the content
      </a>
      <Sidebar
        page={page}
        themes={themes}
        setSearch={setSearch}
        field={field}
        onHelp={() => help.current?.showModal()}
      />
      <main id="main" class="view" tabIndex={-1}>
        {overview.trouble !== '' && (
          <p class="notice" role="status">
            No samples are taken in: {overview.trouble}.
          </p>
        )}
        <View page={page} />
      </main>
      <Help dialog={help} />
    </div>
  );
}

interface Acted {
  readonly place: Place;
  readonly go: (place: Place) => void;
  readonly setSearch: (text: string) => void;
  readonly field: RefObject<HTMLInputElement | null>;
  readonly help: RefObject<HTMLDialogElement | null>;
  readonly themes: Themes;
}

/** Carries out a key's action. */
function act(action: Action, { place, go, setSearch, field, help, themes }: Acted): void {
  switch (action.kind) {
    case 'search':
      field.current?.focus();
      field.current?.select();
      return;
    case 'escape':
      setSearch('');
      if (document.activeElement instanceof HTMLElement) document.activeElement.blur();
      return;
    case 'next':
      moveFocus(1);
      return;
    case 'previous':
      moveFocus(-1);
      return;
    case 'help':
      help.current?.showModal();
      return;
    case 'theme':
      themes.next();
      return;
    case 'live':
      go({ ...place, from: 0, to: 0 });
      return;
    case 'range':
      go({ ...place, range: action.range, from: 0, to: 0 });
      return;
    case 'go':
      go(elsewhere(place, action.view));
      return;
  }
}

/** What the stream should send points for. */
function subjectOf({ view, name, route, baseline, candidate }: Place): string {
  // The stream tells of applications as a whole; charts of one route are read again instead.
  if ((view !== 'host' && view !== 'app') || route !== '') return '';
  const compared = baseline === '' ? {} : { baseline, candidate };
  return `${new URLSearchParams({ [view]: name, ...compared })}`;
}
