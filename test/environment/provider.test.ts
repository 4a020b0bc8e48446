import { describe, expect, it } from 'vitest';
import { chooseProvider } from '../../src/environment/provider.ts';
import { Failure } from '../../src/errors.ts';

describe('the provider is', () => {
  it.each([
    [
      'what --provider says, before all else',
      'local',
      { PIPELINE_PROVIDER: 'digitalocean', DOTOKEN: 'x' },
      'digitalocean',
      'local',
    ],
    [
      'what PIPELINE_PROVIDER says, before pipeline.yml',
      undefined,
      { PIPELINE_PROVIDER: 'local', DOTOKEN: 'x' },
      'digitalocean',
      'local',
    ],
    ['what pipeline.yml says, before a token', undefined, { DOTOKEN: 'x' }, 'local', 'local'],
    ['digitalocean with DOTOKEN', undefined, { DOTOKEN: 'x' }, undefined, 'digitalocean'],
    [
      'digitalocean with DIGITALOCEAN_TOKEN',
      undefined,
      { DIGITALOCEAN_TOKEN: 'x' },
      undefined,
      'digitalocean',
    ],
    [
      'digitalocean with DIGITALOCEAN_ACCESS_TOKEN',
      undefined,
      { DIGITALOCEAN_ACCESS_TOKEN: 'x' },
      undefined,
      'digitalocean',
    ],
    ['local with an empty token', undefined, { DOTOKEN: '' }, undefined, 'local'],
    ['local without anything', undefined, {}, undefined, 'local'],
  ] as const)('%s', (_title, flag, env, configured, expected) => {
    expect(chooseProvider(flag, env, { provider: configured }).name).toBe(expected);
  });

  it('never shows the token in its reason', () => {
    expect(chooseProvider(undefined, { DOTOKEN: 'dop_v1_secret' }, {}).reason).not.toContain('dop_v1_secret');
  });

  it.each([
    ['--provider', () => chooseProvider('digitalocaen', {}, {})],
    ['PIPELINE_PROVIDER', () => chooseProvider(undefined, { PIPELINE_PROVIDER: 'digitalocaen' }, {})],
  ])('an error with a suggestion where %s names an unknown one', (from, choose) => {
    const failure = caught(choose);
    expect(failure.kind).toBe('usage');
    expect(failure.message).toContain(from);
    expect(failure.next).toBe('Did you mean digitalocean?');
  });
});

function caught(act: () => unknown): Failure {
  try {
    act();
  } catch (thrown) {
    if (thrown instanceof Failure) return thrown;
  }
  throw new Error('it did not fail');
}
