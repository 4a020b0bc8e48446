// What a benchmark's arguments may be, as the comment at its head says: that names every flag it takes.

/** The text of the first comment. */
export function headOf(source) {
  const [, text = ''] = /^\/\*\*\n(.*?)\n? \*\//s.exec(source) ?? [];
  return text.replaceAll(/^ \* ?/gm, '').trimEnd();
}

/** Arguments that are flags, and none that the head names. */
export function unknownFlags(head, args) {
  const known = new Set(head.match(/--[a-z][a-z-]*/g));
  return args.map((one) => one.replace(/=.*/s, '')).filter((one) => /^-./.test(one) && !known.has(one));
}
