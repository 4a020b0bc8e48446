/** Names in texts of a definition: `${NAME}` stands for a value, `$${` for itself. Pure. */

const REFERENCE = /\$(\$\{|\{([A-Za-z_][A-Za-z0-9_]*)\})/g;

/** What an application is told of a database, as ends of variable names. */
export const DATABASE_PARTS = ['HOST', 'PORT', 'USER', 'PASSWORD', 'DATABASE'] as const;
export type DatabasePart = (typeof DATABASE_PARTS)[number];

/**
 * The variable for one part of a database, by the key of the database: `orders` and `HOST` give
 * `ORDERS_HOST`.
 */
export function databaseVariable(key: string, part: DatabasePart): string {
  return `${key.toUpperCase().replaceAll('-', '_')}_${part}`;
}

/** The names that a text refers to. */
export function namesIn(text: string): readonly string[] {
  return [...text.matchAll(REFERENCE)].flatMap(([, , name]) => name ?? []);
}

/** The text with every `${NAME}` replaced by what `lookUp` gives for it. */
export function replaceNames(text: string, lookUp: (name: string) => string): string {
  return text.replaceAll(REFERENCE, (_whole, rest: string, name?: string) =>
    name === undefined ? rest : lookUp(name),
  );
}
