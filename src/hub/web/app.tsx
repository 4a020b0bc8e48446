/** Signed in or not. */
import { useCallback, useEffect, useState } from 'preact/hooks';
import type { SessionUser } from '../api-types.ts';
import { Dashboard } from './dashboard.tsx';
import { useTheme } from './hooks/use-theme.ts';
import { get, SignedOut } from './state/api.ts';
import { SignIn } from './views/sign-in.tsx';

type Session = { readonly user: SessionUser } | 'out' | { readonly trouble: string };

export function App() {
  const themes = useTheme();
  const [session, setSession] = useState<Session>();
  const ask = useCallback(() => {
    get<SessionUser>('/api/session').then(
      (user) => setSession({ user }),
      (error: Error) => setSession(error instanceof SignedOut ? 'out' : { trouble: error.message }),
    );
  }, []);
  useEffect(ask, [ask]);
  const signedOut = useCallback(() => setSession('out'), []);
  if (session === undefined) return null;
  if (session === 'out') return <SignIn onDone={ask} />;
  if ('trouble' in session)
    return (
      <main class="alone">
        <div class="card">
          <h1>The hub does not answer</h1>
          <p class="dim">{session.trouble}</p>
          <button type="button" class="main" onClick={ask}>
            Try again
          </button>
        </div>
      </main>
    );
  return <Dashboard user={session.user} themes={themes} onSignedOut={signedOut} />;
}
