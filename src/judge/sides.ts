/** The two versions under comparison. */

export const SIDES = ['baseline', 'candidate'] as const;
export type SideName = (typeof SIDES)[number];
