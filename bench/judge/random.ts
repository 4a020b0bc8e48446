/** Random numbers that can be drawn again, of the distributions that simulations need. */
import { seededUniform } from '../../src/judge/index.ts';

export interface Random {
  /** In [0, 1). */
  uniform(): number;
  /** Standard normal. */
  normal(): number;
  /** Exponential with mean 1. */
  exponential(): number;
}

export function seeded(seed: number): Random {
  const uniform = seededUniform(Math.imul(seed + 1, 0x9e3779b1));
  const exponential = () => -Math.log(1 - uniform());
  const normal = () => Math.sqrt(2 * exponential()) * Math.cos(2 * Math.PI * uniform());
  return { uniform, normal, exponential };
}
