/** Reads the agent's configuration. */
import { readFileSync, statSync } from 'node:fs';
import { type AgentConfig, readAgentConfig } from '../contract/agent.ts';
import { Failure } from '../errors.ts';

/** Reads a configuration. @throws Failure kind `usage` with every mistake in it, never with a value of it */
export function parseConfig(json: string): AgentConfig {
  const problems: string[] = [];
  let document: unknown;
  try {
    document = JSON.parse(json);
  } catch {
    // The error of JSON.parse quotes the text, which holds passwords.
    throw new Failure('usage', 'The configuration is not JSON.');
  }
  const config = readAgentConfig(document, (problem) => problems.push(problem));
  if (problems.length > 0)
    throw new Failure('usage', `The configuration has errors: ${problems.join('; ')}.`);
  return config;
}

/** Reads the configuration from a file. @throws Failure, also where others than the owner may read it */
export function readConfig(file: string): AgentConfig {
  const next = `Run "pipeline monitor setup", which writes ${file}.`;
  let json: string;
  try {
    if ((statSync(file).mode & 0o077) !== 0) {
      throw new Failure('usage', `${file} holds passwords and may be read by others.`, {
        next: `Run: chmod 600 ${file}`,
      });
    }
    json = readFileSync(file, 'utf8');
  } catch (cause) {
    if (cause instanceof Failure) throw cause;
    throw new Failure('usage', `${file} cannot be read: ${(cause as Error).message}.`, { next, cause });
  }
  try {
    return parseConfig(json);
  } catch (thrown) {
    if (!(thrown instanceof Failure)) throw thrown;
    throw new Failure('usage', `${file}: ${thrown.message}`, { next });
  }
}
