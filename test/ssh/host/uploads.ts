/** Files that go to a host. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { Failure } from '../../../src/errors.ts';
import { label, type ShellHost } from './shell-host.ts';

export function uploads(at: ShellHost): void {
  describe('an upload', () => {
    test('replaces a file as a whole, with its mode, and says how far it is', async () => {
      const data = Buffer.alloc(5_000_000, 'x');
      const local = join(at.folder, 'local');
      writeFileSync(local, data);
      const sent: number[] = [];
      await at.host.upload({ path: local }, "/srv/new folder/it's", {
        mode: '0640',
        onProgress: (bytes) => sent.push(bytes),
      });
      expect(
        await at.host.check(`stat -c '%s %a %U' "/srv/new folder/it's"; ls -A '/srv/new folder' | wc -l`, {
          label,
        }),
      ).toBe('5000000 640 root\n1\n');
      expect(sent.at(-1)).toBe(5_000_000);
      expect(sent.length).toBeGreaterThan(10);
      await at.host.upload({ data: new Uint8Array() }, "/srv/new folder/it's", {});
      expect(await at.host.check(`stat -c '%s %a' "/srv/new folder/it's"`, { label })).toBe('0 644\n');
    });

    test('to a full disk says how much room there is, and leaves what stood there', async () => {
      await at.host.check(
        'mkdir -p /srv/small; mount -t tmpfs -o size=1M tmpfs /srv/small; echo old > /srv/small/file',
        { label },
      );
      const full = at.host.upload({ data: Buffer.alloc(3_000_000) }, '/srv/small/file', {});
      await expect(full).rejects.toMatchObject({
        kind: 'host',
        message: expect.stringMatching(
          /^shell: upload \/srv\/small\/file: no room for 3 MB, \S+ (k|M)?B free of 1\.05 MB$/,
        ),
      });
      expect(await at.host.check('cat /srv/small/file; ls -A /srv/small', { label })).toBe('old\nfile\n');
    });

    test('that is stopped half-way leaves what stood there', async () => {
      await at.host.check('echo old > /srv/stopped', { label });
      const stop = new AbortController();
      const upload = at.host.upload({ data: Buffer.alloc(200_000_000) }, '/srv/stopped', {
        signal: stop.signal,
        onProgress: (bytes) => {
          if (bytes > 1_000_000) stop.abort(new Failure('interrupted', 'stopped'));
        },
      });
      await expect(upload).rejects.toThrow('stopped');
      await expect
        .poll(() => at.host.check('cat /srv/stopped; ls /srv | grep -c stopped', { label }))
        .toBe('old\n1\n');
    });

    test('to a place that is no file, or of a file that is not there, is refused', async () => {
      await expect(at.host.upload({ data: Buffer.from('x') }, '/srv', {})).rejects.toThrow(
        'upload /srv failed',
      );
      await expect(at.host.upload({ path: join(at.folder, 'nothing') }, '/srv/x', {})).rejects.toThrow(
        'nothing',
      );
    });
  });
}
