/** What an environment costs a month, now and once a plan is applied. Pure. */
import type { MachineSpec, MonthlyCost } from '../../provider.ts';
import type { Size } from '../api/answers.ts';
import { hasTag, type Marks } from './names.ts';
import type { Operation } from './operations.ts';
import type { Surveyed } from './survey.ts';

/**
 * Every droplet with our owner mark counts, also one that is powered off or left alone: it is billed all
 * the same.
 * @param operations what `apply` does: droplets that it makes are added, droplets that it removes are
 * subtracted
 */
export function costOf(
  { droplets, catalogue }: Pick<Surveyed, 'droplets' | 'catalogue'>,
  operations: readonly Operation[],
  marks: Marks,
): MonthlyCost {
  const ours = droplets.filter(({ tags }) => hasTag(tags, marks.owner));
  const removed = new Set(
    operations.flatMap((operation) => (operation.kind === 'remove droplet' ? [operation.id] : [])),
  );
  const made = operations.flatMap((operation) => (operation.kind === 'droplets' ? operation.machines : []));
  const billed = (some: typeof ours) => sum(some.map(({ size }) => size?.price_monthly ?? 0));
  const added = sum(made.map((machine) => priceOf(machine, catalogue?.sizes ?? []) ?? 0));
  const before = cents(billed(ours));
  const after = cents(billed(ours.filter(({ id }) => !removed.has(id))) + added);
  return { currency: 'USD', before, after, change: cents(after - before) };
}

/** US dollars a month; undefined where the cloud does not list the size. */
export function priceOf({ size }: Pick<MachineSpec, 'size'>, sizes: readonly Size[]): number | undefined {
  return sizes.find(({ slug }) => slug === size)?.price_monthly;
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0);

/** Prices have cents; sums of floating-point numbers have more. */
const cents = (dollars: number): number => Math.round(dollars * 100) / 100;
