/** Durations and sizes as people write them, as codecs: text in the file, numbers in the program. */
import { z } from 'zod';

const MILLISECONDS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
const BYTES = { K: 1024, M: 1024 ** 2, G: 1024 ** 3, T: 1024 ** 4 } as const;

const DURATION = 'expected a duration like 500ms, 90s, 2m, 1h or 7d';
const SIZE = 'expected a size like 512M or 2G';

/** `90s`, `2m`, `500ms`, `1.5h` → milliseconds. */
export const duration = () =>
  z
    .string(DURATION)
    .regex(/^\d+(\.\d+)?(ms|s|m|h|d)$/, DURATION)
    .transform((text) => {
      const [, number = '0', unit = 's'] = /^([\d.]+)([a-z]+)$/.exec(text) ?? [];
      return Math.round(Number(number) * MILLISECONDS[unit as keyof typeof MILLISECONDS]);
    });

/** `512M`, `2G` → bytes. */
export const bytes = () =>
  z
    .string(SIZE)
    .regex(/^\d+(\.\d+)?[KMGT]$/, SIZE)
    .transform((text) => {
      const unit = text.slice(-1) as keyof typeof BYTES;
      return Math.round(Number(text.slice(0, -1)) * BYTES[unit]);
    });
