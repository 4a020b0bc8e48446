/**
 * What a balancer tells its hosts once it has decided: a short text at its site, which anybody may read and
 * nobody else can write, since only the rollout's secret makes its last word. Pure.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import { hasEnded, type RolloutPhase } from '../contract/rollout.ts';

export interface EndWord {
  readonly phase: RolloutPhase;
  /** ISO 8601 in UTC. */
  readonly at: string;
}

/** @param seed of the rollout, secret. */
export function endWord(seed: string, id: string, { phase, at }: EndWord): string {
  return `${phase}\n${at}\n${signature(seed, id, phase, at)}\n`;
}

/** undefined: it is not the word of this rollout's balancer. */
export function readEndWord(seed: string, id: string, text: string): EndWord | undefined {
  const [phase = '', at = '', given = ''] = text.split('\n');
  const wanted = Buffer.from(signature(seed, id, phase, at));
  const said = Buffer.from(given);
  if (said.length !== wanted.length || !timingSafeEqual(said, wanted)) return undefined;
  return isEnd(phase) ? { phase, at } : undefined;
}

function isEnd(phase: string): phase is RolloutPhase {
  return hasEnded(phase as RolloutPhase);
}

function signature(seed: string, id: string, phase: string, at: string): string {
  return createHmac('sha256', seed).update(`end ${id}\n${phase}\n${at}`).digest('hex');
}
