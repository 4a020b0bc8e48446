/** An address with credentials becomes one without and a header: fetch refuses the first. Pure. */

export interface HttpAddress {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** What must not appear in any text, in every form that it is sent in. */
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

/** `1` or `json` is no secret, and would hide half a sentence. */
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
