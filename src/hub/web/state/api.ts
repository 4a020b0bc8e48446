/** The hub's API. */
export class SignedOut extends Error {}

/** @throws SignedOut where the session is over; Error with a sentence */
export async function get<T>(path: string, signal?: AbortSignal): Promise<T> {
  const response = await ask(path, signal === undefined ? {} : { signal });
  if (response.status === 401) throw new SignedOut('Sign in first.');
  return answerOf<T>(response);
}

/** @throws SignedOut where the session is over; Error with a sentence */
export async function post<T>(path: string, body: unknown): Promise<T> {
  const response = await ask(path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  // A wrong password is an answer of the sign-in.
  if (response.status === 401 && path !== '/api/sign-in') throw new SignedOut('Sign in first.');
  return answerOf<T>(response);
}

/** Replaces the browser's own message for a hub that does not answer. */
function ask(path: string, init: RequestInit): Promise<Response> {
  return fetch(path, init).catch((cause: Error) => {
    if (cause.name === 'AbortError') throw cause;
    throw new Error('The hub does not answer.', { cause });
  });
}

async function answerOf<T>(response: Response): Promise<T> {
  const failed = `The hub answered ${response.status}.`;
  const answer = await response.json().catch(() => {
    throw new Error(failed);
  });
  if (!response.ok) throw new Error((answer as { error?: string }).error ?? failed);
  return answer as T;
}
