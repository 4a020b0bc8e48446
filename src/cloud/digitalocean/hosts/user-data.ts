/** What cloud-init does at a droplet's first start: pure. */

/**
 * Gives the droplet the host key that we know, and no other. Every process on the droplet can read this
 * text for as long as the droplet lives (the metadata service shows it), so the key in it is good for the
 * first contact alone, which exchanges it.
 * @param privateKey OpenSSH's form, ends in a newline
 * @see https://cloudinit.readthedocs.io/en/latest/reference/modules.html#ssh
 */
export function userData(privateKey: string, publicKey: string): string {
  return [
    '#cloud-config',
    'ssh_deletekeys: true',
    'ssh_pwauth: false',
    'disable_root: false',
    'ssh_keys:',
    '  ed25519_private: |',
    ...privateKey
      .trimEnd()
      .split('\n')
      .map((line) => `    ${line}`),
    `  ed25519_public: ${publicKey}`,
    '',
  ].join('\n');
}
