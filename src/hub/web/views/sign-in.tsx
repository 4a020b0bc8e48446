/** Who are you? */

import type { RefObject } from 'preact';
import { useRef, useState } from 'preact/hooks';
import { Brand } from '../parts/brand.tsx';
import { post } from '../state/api.ts';

const LOCAL = new Set(['localhost', '127.0.0.1', '[::1]']);

export function SignIn({ onDone }: { readonly onDone: () => void }) {
  const [error, setError] = useState('');
  const [busy, setBusy] = useState(false);
  const password = useRef<HTMLInputElement>(null);
  const open = location.protocol === 'http:' && !LOCAL.has(location.hostname);
  const send = (form: FormData) => {
    setBusy(true);
    setError('');
    post('/api/sign-in', { user: form.get('user'), password: form.get('password') }).then(
      onDone,
      (failed: Error) => {
        setBusy(false);
        setError(failed.message);
        password.current?.select();
      },
    );
  };
  return (
    <main class="alone">
      <form
        class="card sign-in"
        onSubmit={(event) => {
          event.preventDefault();
          send(new FormData(event.currentTarget));
        }}
      >
        <Brand />
        <h1>Sign in to the monitor</h1>
        <Fields password={password} />
        <p role="alert" id="sign-in-error" class="error">
          {error}
        </p>
        <button type="submit" class="main" disabled={busy}>
          {busy ? 'One moment' : 'Sign in'}
        </button>
        <p class="dim">
          {open && 'This connection is not encrypted. '}A user is made by{' '}
          <code>pipeline monitor users set NAME</code>
        </p>
      </form>
    </main>
  );
}

function Fields({ password }: { readonly password: RefObject<HTMLInputElement | null> }) {
  return (
    <>
      <label>
        User
        <input
          name="user"
          autocomplete="username"
          autocapitalize="none"
          spellcheck={false}
          required
          autofocus
        />
      </label>
      <label>
        Password
        <input
          ref={password}
          name="password"
          type="password"
          autocomplete="current-password"
          aria-describedby="sign-in-error"
          required
        />
      </label>
    </>
  );
}
