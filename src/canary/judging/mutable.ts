/** Data that may be changed, from data that may not: a copy. */
export type Mutable<T> = T extends object ? { -readonly [K in keyof T]: Mutable<T[K]> } : T;

export function mutable<T>(value: T): Mutable<T> {
  return structuredClone(value) as Mutable<T>;
}
