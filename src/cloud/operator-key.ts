/**
 * The key with which this project signs in to its hosts: one for each environment, in the project's own
 * folder.
 */
import { randomBytes } from 'node:crypto';
import { chmod, link, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Failure } from '../errors.ts';
import { writeFileAtomic } from '../files.ts';
import { generateEd25519, publicKeyOf } from './ed25519.ts';

export interface OperatorKey {
  /** The private key, mode 0600. */
  readonly identityFile: string;
  /** One OpenSSH line: `ssh-ed25519 AAAA… pipeline prod`. */
  readonly publicKey: string;
}

/** Where the private key of an environment lies; `directory` is the folder of pipeline.yml. */
export function operatorKeyFile(directory: string, environment: string): string {
  return join(directory, '.pipeline', 'keys', environment);
}

/**
 * The key that exists, or undefined. Makes nothing.
 * @throws Failure `usage` where the file holds something else than an ed25519 key of OpenSSH.
 */
export async function findOperatorKey(
  directory: string,
  environment: string,
): Promise<OperatorKey | undefined> {
  const identityFile = operatorKeyFile(directory, environment);
  const text = await readFile(identityFile, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw new Failure('usage', `${identityFile} cannot be read (${error.code})`, {
      cause: error,
      next: 'Make it readable for you, or run the command as the user who owns it.',
    });
  });
  if (text === undefined) return undefined;
  const publicKey = publicKeyOf(text);
  if (publicKey === undefined) {
    throw new Failure('usage', `${identityFile} holds no ed25519 key of OpenSSH`, {
      next:
        'Put back the key that was there. If the environment has no hosts yet, remove the file: ' +
        'a new key is made.',
    });
  }
  return { identityFile, publicKey: `${publicKey} pipeline ${environment}` };
}

/**
 * The key of an environment; made (ed25519, mode 0600) where there is none. Two callers at the same moment
 * get the same key, and a crash leaves the old state or the new one.
 */
export async function operatorKey(directory: string, environment: string): Promise<OperatorKey> {
  const existing = await findOperatorKey(directory, environment);
  if (existing === undefined)
    await makeKey(operatorKeyFile(directory, environment), `pipeline ${environment}`);
  const key = existing ?? (await findOperatorKey(directory, environment));
  if (key === undefined)
    throw new Error(`${operatorKeyFile(directory, environment)} was removed while it was made`);
  // ssh ignores a key that others may read, e.g. after it was copied from another machine.
  await chmod(key.identityFile, 0o600);
  await writeFileAtomic(`${key.identityFile}.pub`, `${key.publicKey}\n`);
  return key;
}

async function makeKey(path: string, comment: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const temporary = `${path}.${randomBytes(6).toString('hex')}.tmp`;
  try {
    await writeFile(temporary, generateEd25519(comment).privateKey, { mode: 0o600, flag: 'wx', flush: true });
    // A link never replaces: who comes second keeps the first one's key.
    await link(temporary, path).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'EEXIST') return;
      if (error.code === 'EPERM' || error.code === 'ENOTSUP') return rename(temporary, path);
      throw error;
    });
  } finally {
    await rm(temporary, { force: true });
  }
}
