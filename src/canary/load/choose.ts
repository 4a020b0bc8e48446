/** The choice of the next request by weight. Pure. */

/**
 * A function that chooses an index, each as often as its share of the weights. Random, since a fixed order
 * could keep step with the services.
 */
export function weightedChoice(weights: readonly number[], random: () => number): () => number {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return () => {
    let rest = random() * total;
    const found = weights.findIndex((weight) => {
      rest -= weight;
      return rest < 0;
    });
    return found === -1 ? weights.length - 1 : found;
  };
}
