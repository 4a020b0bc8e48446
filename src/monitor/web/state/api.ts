/** The hub's API. */
export class SignedOut extends Error {}

/** @throws SignedOut where the session is over; Error with a sentence */
export async function get<T>(path: string, signal?: AbortSignal): Promise<T> {
  const response = await fetch(path, signal === undefined ? {} : { signal });
  if (response.status === 401) throw new SignedOut('Sign in first.');
  return answerOf<T>(response);
}

/** @throws Error with a sentence */
export async function post<T>(path: string, body: unknown): Promise<T> {
  const response = await fetch(path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  return answerOf<T>(response);
}

async function answerOf<T>(response: Response): Promise<T> {
  const failed = `The hub answered ${response.status}.`;
  const answer = await response.json().catch(() => {
    throw new Error(failed);
  });
  if (!response.ok) throw new Error((answer as { error?: string }).error ?? failed);
  return answer as T;
}
