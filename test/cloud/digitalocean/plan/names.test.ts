import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  fingerprintOfTag,
  firewallName,
  freeName,
  groupOf,
  groupTag,
  hostKeysOf,
  hostKeyTag,
  isNameOf,
  isTag,
  keyTag,
  marksOf,
  networkName,
} from '../../../../src/cloud/digitalocean/plan/names.ts';
import { generateEd25519 } from '../../../../src/cloud/ed25519.ts';

const ours = marksOf({ project: 'shop', environment: 'prod', owner: '3f2a91' });

describe('marks', () => {
  it('keep to what the API takes, whatever a project is called', () => {
    const text = fc.string({ minLength: 1, maxLength: 300, unit: 'binary' });
    fc.assert(
      fc.property(text, text, text, text, (project, environment, owner, group) => {
        const marks = marksOf({ project, environment, owner });
        const tags = [marks.environment, marks.owner, groupTag(marks, group)];
        expect(tags.every(isTag)).toBe(true);
        for (const name of [marks.name, firewallName(marks, group), networkName(marks, 'nyc3')]) {
          expect(name).toMatch(/^[a-zA-Z0-9][a-zA-Z0-9.-]+$/);
          expect(name.length).toBeLessThanOrEqual(255);
        }
        expect(marks.description.length).toBeLessThanOrEqual(255);
      }),
    );
  });

  it('differ for different owners, projects and environments', () => {
    const text = fc.string({ minLength: 1, maxLength: 60, unit: 'binary' });
    const spec = fc.record({ project: text, environment: text, owner: text });
    fc.assert(
      fc.property(spec, spec, (a, b) => {
        fc.pre(JSON.stringify(a) !== JSON.stringify(b));
        expect(marksOf(a).owner).not.toBe(marksOf(b).owner);
        expect(marksOf(a).prefix).not.toBe(marksOf(b).prefix);
        expect(marksOf(a).name).not.toBe(marksOf(b).name);
      }),
    );
  });

  it('hold a host key and give it back, also where the API changed the case of letters', () => {
    const { publicKey } = generateEd25519();
    const tag = hostKeyTag(ours, 'host', publicKey);
    expect(hostKeysOf(ours, 'host', ['web', tag])).toEqual([publicKey]);
    expect(hostKeysOf(ours, 'host', [tag.toUpperCase()])).toEqual([publicKey]);
    expect(hostKeysOf(ours, 'new', [tag])).toEqual([]);
    expect(() => hostKeyTag(ours, 'host', 'ssh-rsa AAAA')).toThrow(RangeError);
  });

  it('hold the fingerprint of a key and the group, and give them back', () => {
    const fingerprint = '08:0e:04:62:35:4e:fe:e3:7e:8f:79:11:be:99:a9:54';
    expect(fingerprintOfTag(ours, keyTag(ours, fingerprint))).toBe(fingerprint);
    expect(groupOf(ours, ['a', groupTag(ours, 'web')])).toBe('web');
    expect(groupOf(ours, ['a'])).toBeUndefined();
  });

  it.each([
    ['web', ['web', 'web-2'], 'web-3'],
    ['web', ['WEB'], 'web-2'],
    ['web', ['other'], 'web'],
  ])('take for %s beside %j the name %s', (base, taken, free) => {
    expect(freeName(base, taken)).toBe(free);
    expect(isNameOf(base, free)).toBe(true);
  });

  it.each(['web-', 'web-1', 'web-x', 'webs', 'a-web'])('do not take %s for a name of web', (name) => {
    expect(isNameOf('web', name)).toBe(false);
  });
});
