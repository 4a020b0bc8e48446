/** Turns an address with credentials, which fetch refuses, into one without, and a header. Pure. */

export interface HttpAddress {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** What no text may show, in every form in which it is sent. */
  readonly secrets: readonly string[];
}

/**
 * @param url `https://user:password@host/path`, percent-encoded
 * @param headers sent too; an Authorization among them wins over the credentials
 */
export function httpAddress(url: string, headers: Readonly<Record<string, string>> = {}): HttpAddress {
  const given = Object.values(headers);
  const own = [...given, ...given.flatMap((value) => value.split(' ').slice(1))].filter(isLong);
  if (!URL.canParse(url)) return { url, headers, secrets: own };
  const parsed = new URL(url);
  const { username, password } = parsed;
  if (username === '' && password === '') return { url, headers, secrets: own };
  parsed.username = '';
  parsed.password = '';
  const plain = `${decoded(username)}:${decoded(password)}`;
  const basic = Buffer.from(plain).toString('base64');
  const named = Object.keys(headers).some((name) => name.toLowerCase() === 'authorization');
  return {
    url: parsed.href,
    headers: named ? headers : { ...headers, authorization: `Basic ${basic}` },
    secrets: [...own, basic, plain, decoded(password), password].filter((secret) => secret !== ''),
  };
}

/** Hiding `1` or `json`, which are no secrets, would hide half a sentence. */
function isLong(text: string): boolean {
  return text.length >= 6;
}

/** A stray `%` stands for itself. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
