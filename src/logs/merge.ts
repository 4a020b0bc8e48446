/** Lines of many sources in one order, holding one line of each. */

/**
 * Streams merged by `compare`: each must be in that order itself. One line of each source is held, so memory
 * does not grow with what they hold. Ends every source when it ends or is left.
 */
export async function* mergeInOrder<T>(
  sources: readonly AsyncIterable<T>[],
  compare: (a: T, b: T) => number,
): AsyncGenerator<T> {
  const iterators = sources.map((source) => source[Symbol.asyncIterator]());
  type Head = { readonly value: T; readonly from: number };
  const next = async (from: number): Promise<Head | undefined> => {
    const taken = await iterators[from]?.next();
    return taken === undefined || taken.done === true ? undefined : { value: taken.value, from };
  };
  const heap = new Heap<Head>((a, b) => compare(a.value, b.value) || a.from - b.from);
  try {
    for (const head of await Promise.all(iterators.map((_, index) => next(index))))
      if (head !== undefined) heap.push(head);
    for (let head = heap.pop(); head !== undefined; head = heap.pop()) {
      yield head.value;
      const after = await next(head.from);
      if (after !== undefined) heap.push(after);
    }
  } finally {
    await Promise.allSettled(iterators.map((iterator) => iterator.return?.(undefined)));
  }
}

/** The least element first. */
class Heap<T> {
  readonly #items: T[] = [];
  readonly #compare: (a: T, b: T) => number;

  constructor(compare: (a: T, b: T) => number) {
    this.#compare = compare;
  }

  push(item: T): void {
    const items = this.#items;
    let at = items.push(item) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!this.#isLess(at, parent)) break;
      this.#swap(at, parent);
      at = parent;
    }
  }

  pop(): T | undefined {
    const items = this.#items;
    const least = items[0];
    const last = items.pop();
    if (items.length > 0 && last !== undefined) {
      items[0] = last;
      this.#sink();
    }
    return least;
  }

  #sink(): void {
    for (let at = 0; ; ) {
      const [left, right] = [2 * at + 1, 2 * at + 2];
      let least = at;
      if (this.#isLess(left, least)) least = left;
      if (this.#isLess(right, least)) least = right;
      if (least === at) return;
      this.#swap(at, least);
      at = least;
    }
  }

  #isLess(a: number, b: number): boolean {
    const [first, second] = [this.#items[a], this.#items[b]];
    return first !== undefined && second !== undefined && this.#compare(first, second) < 0;
  }

  #swap(a: number, b: number): void {
    const [first, second] = [this.#items[a], this.#items[b]];
    if (first === undefined || second === undefined) return;
    this.#items[a] = second;
    this.#items[b] = first;
  }
}
