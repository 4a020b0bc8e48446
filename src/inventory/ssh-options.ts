/** The arguments for ssh that stand in an inventory (`ansible_ssh_args` and its kin), as options: pure. */
import { splitWords } from './shlex.ts';

export interface SshOptions {
  /** `Key=value`, for `-o`. */
  readonly options: readonly string[];
  readonly identityFile?: string;
  readonly knownHostsFile?: string;
  /** `-F`: ssh's configuration, instead of the user's own. */
  readonly configFile?: string;
}

/** Flags without a value and the option that says the same; undefined: it changes nothing for us. */
const FLAGS: Readonly<Record<string, string | undefined>> = {
  '-4': 'AddressFamily=inet',
  '-6': 'AddressFamily=inet6',
  '-C': 'Compression=yes',
  '-A': undefined,
  '-a': undefined,
  '-q': undefined,
  '-T': undefined,
  '-v': undefined,
  '-vv': undefined,
  '-vvv': undefined,
  '-x': undefined,
};

/** Flags with a value and the option that says the same. */
const OPTIONS: Readonly<Record<string, string>> = {
  '-J': 'ProxyJump',
  '-i': 'IdentityFile',
  '-p': 'Port',
  '-l': 'User',
  '-b': 'BindAddress',
  '-c': 'Ciphers',
  '-m': 'MACs',
};

/** We connect strictly and share connections our own way: what the inventory says about these has no say. */
const OURS = /^(?:StrictHostKeyChecking|ControlMaster|ControlPath|ControlPersist|BatchMode)$/i;

/**
 * Reads the arguments.
 * @throws SyntaxError with a sentence about an argument that cannot be taken over.
 */
export function parseSshArguments(text: string): SshOptions {
  const words = splitWords(text, { comments: false });
  const options: string[] = [];
  let identityFile: string | undefined;
  let knownHostsFile: string | undefined;
  let configFile: string | undefined;
  for (let i = 0; i < words.length; i++) {
    const word = words[i] ?? '';
    if (word in FLAGS) {
      const same = FLAGS[word];
      if (same !== undefined) options.push(same);
      continue;
    }
    const flag = word.slice(0, 2);
    const named = OPTIONS[flag];
    if (flag !== '-o' && flag !== '-F' && named === undefined)
      throw new SyntaxError(`cannot take over the ssh argument ${word}: use -o Key=value`);
    const value = word.length > 2 ? word.slice(2) : words[++i];
    if (value === undefined) throw new SyntaxError(`the ssh argument ${flag} has no value`);
    if (flag === '-F') {
      configFile = value;
      continue;
    }
    const [key, setting] = named === undefined ? splitOption(value) : [named, value];
    if (/^IdentityFile$/i.test(key)) identityFile = unquote(setting);
    // Vagrant's /dev/null means "ask nobody"; we ask the user's own file instead.
    else if (/^UserKnownHostsFile$/i.test(key))
      knownHostsFile = setting === '/dev/null' ? undefined : unquote(setting);
    else if (!OURS.test(key)) options.push(`${key}=${setting}`);
  }
  return {
    options,
    ...(identityFile === undefined ? {} : { identityFile }),
    ...(knownHostsFile === undefined ? {} : { knownHostsFile }),
    ...(configFile === undefined ? {} : { configFile }),
  };
}

/** `Key=value`, `Key = value` and `Key value` are the same to ssh. */
function splitOption(text: string): [string, string] {
  const match = /^\s*([A-Za-z0-9]+)(?:\s*=\s*|\s+)(.*)$/s.exec(text);
  if (match === null) throw new SyntaxError(`the ssh option ${text} is not Key=value`);
  return [match[1] ?? '', match[2] ?? ''];
}

/** The first file that an ssh option names; ssh has quotes of its own and doubles "%". */
function unquote(value: string): string {
  const [first = ''] = splitWords(value, { comments: false });
  return first.replaceAll('%%', '%');
}
