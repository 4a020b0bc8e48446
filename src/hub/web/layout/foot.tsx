/** The foot of the left column: live or not, who is signed in, light or dark. */
import type { StreamState } from '../hooks/use-stream.ts';
import type { Themes } from '../hooks/use-theme.ts';
import type { Page } from '../page.ts';
import { post } from '../state/api.ts';
import { clock } from '../state/format.ts';

const SAYS: Readonly<Record<StreamState, string>> = {
  connecting: 'connecting',
  live: 'live',
  again: 'connecting again',
  paused: 'paused while hidden',
  full: 'too many dashboards are open',
};

interface Props {
  readonly page: Page;
  readonly themes: Themes;
  readonly onHelp: () => void;
}

export function Foot({ page, themes, onHelp }: Props) {
  const { stream, overview, user, onSignedOut } = page;
  return (
    <footer class="foot">
      <p role="status" class={`stream ${stream.state}`}>
        <i />
        {SAYS[stream.state]}
        {stream.state !== 'live' && `, data of ${clock(overview.at)}`}
      </p>
      <p>
        <span class="dim">Signed in as</span> {user.name}
        {user.role === 'viewer' && <span class="dim">, who reads only</span>}
      </p>
      <p class="buttons">
        <button type="button" onClick={themes.next} title="Light, dark, or the system's choice (t)">
          Theme: {themes.theme}
        </button>
        <button type="button" onClick={onHelp} title="Keyboard (?)">
          Keys
        </button>
        <button type="button" onClick={() => post('/api/sign-out', {}).then(onSignedOut, onSignedOut)}>
          Sign out
        </button>
      </p>
    </footer>
  );
}
