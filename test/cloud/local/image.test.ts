import { expect, test } from 'vitest';
import { imageName, releaseOf } from '../../../src/cloud/local/image.ts';

test.each([
  ['debian-12-x64', 'debian', 'bookworm'],
  ['debian-13', 'debian', 'trixie'],
  ['ubuntu-22-04-x64', 'ubuntu', 'jammy'],
  ['ubuntu-24.04', 'ubuntu', 'noble'],
])('the image %s is %s %s', (image, distribution, codename) =>
  expect(releaseOf(image)).toEqual({ distribution, codename }),
);

test.each(['debian-11-x64', 'fedora-40-x64', '12345678', ''])(
  'the image %j is refused, with the list',
  (image) =>
    expect(() => releaseOf(image)).toThrow(
      expect.objectContaining({
        kind: 'usage',
        message: `Local hosts have no image ${JSON.stringify(image)}.`,
        next: expect.stringContaining('debian-13-x64, ubuntu-22-04-x64 or ubuntu-24-04-x64'),
      }),
    ),
);

test('a release without a name here goes by its codename', () => {
  expect(imageName('trixie')).toBe('debian-13');
  expect(imageName('forky')).toBe('forky');
});
