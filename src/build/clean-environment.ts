/** The environment of builds of any language: what reaches registries and tools, and nothing else. */

/** Programs, folders, proxies, certificates, and the settings of languages' own tools. */
const KEPT = new RegExp(
  `^(${[
    'PATH|HOME|USER|LOGNAME|SHELL|TMPDIR',
    'XDG_(CACHE|CONFIG|DATA)_HOME|SSH_AUTH_SOCK',
    '(https?|ftp|all|no)_proxy',
    'SSL_CERT_(FILE|DIR)|CURL_CA_BUNDLE|REQUESTS_CA_BUNDLE|NODE_EXTRA_CA_CERTS',
    'GIT_(SSL_CAINFO|SSH_COMMAND)',
    String.raw`PIP_\w+|UV_\w+`,
    'GO(PROXY|PRIVATE|NOPROXY|NOSUMDB|SUMDB|INSECURE|AUTH|FLAGS|PATH|CACHE|MODCACHE|TOOLCHAIN|ROOT)',
    String.raw`CARGO_\w+|RUSTUP_\w+|JAVA_HOME|BUNDLE_\w+`,
    'npm_config_(registry|userconfig|globalconfig|cafile|cache)',
  ].join('|')})$`,
  'i',
);

/** The same language and time zone everywhere; secrets of the shell that deploys stay outside. */
export function cleanEnvironment(
  own: Readonly<Record<string, string | undefined>>,
): Record<string, string | undefined> {
  return {
    PATH: '/usr/local/bin:/usr/bin:/bin',
    ...Object.fromEntries(Object.entries(own).filter(([name]) => KEPT.test(name))),
    LC_ALL: 'C.UTF-8',
    TZ: 'UTC',
    CI: 'true',
    NO_COLOR: '1',
  };
}
