/** Checks calls and answers against DigitalOcean's published contract (OpenAPI 3.0). */
import { readFileSync } from 'node:fs';
import { Ajv, type ValidateFunction } from 'ajv';
import addFormats from 'ajv-formats';
import { parse } from 'yaml';
import type { Exchange } from './server.ts';

interface Parameter {
  readonly name: string;
  readonly in: 'query' | 'path' | 'header';
  readonly required?: boolean;
}
type Schema = Record<string, unknown>;
type Json = unknown;

export interface Contract {
  /** Every way in which a call or its answer differs from the contract; none: it conforms. */
  violations(exchange: Exchange): readonly string[];
}

/** @param file the OpenAPI document, YAML */
export function readContract(file: string): Contract {
  const document = parse(readFileSync(file, 'utf8')) as Schema;
  const ajv = new Ajv({ strict: false, allErrors: true, unicodeRegExp: false });
  addFormats.default(ajv);
  ajv.addFormat('float', true);
  const paths = Object.keys(document.paths as Schema);
  const compiled = new Map<string, ValidateFunction>();

  /** What stands at a place of the document; undefined where nothing does. */
  const read = (...pointer: readonly string[]): Json =>
    pointer.reduce<Json>((value, part) => resolve(document, (value as Schema | undefined)?.[part]), document);
  /** How a value differs from the schema at a place of the document. */
  const differences = (
    values: readonly Json[],
    what: string,
    ...pointer: readonly string[]
  ): readonly string[] => {
    const key = pointer.join(' ');
    const check = compiled.get(key) ?? ajv.compile(forAjv(inline(document, read(...pointer))) as Schema);
    compiled.set(key, check);
    return values.some((value) => check(value)) ? [] : errors(check, what);
  };

  function parameters(operation: readonly string[], path: string, url: URL): readonly string[] {
    const given = new Map([...url.searchParams].map(([name, value]) => [`query ${name}`, value]));
    path.split('/').forEach((part, index) => {
      const name = /^\{(.+)\}$/.exec(part)?.[1];
      if (name !== undefined)
        given.set(`path ${name}`, decodeURIComponent(url.pathname.split('/')[index] ?? ''));
    });
    const declared = ((read(...operation, 'parameters') ?? []) as Json[]).map(
      (item) => resolve(document, item) as Parameter,
    );
    const names = declared.map((parameter) => `${parameter.in} ${parameter.name}`);
    return [
      ...[...given.keys()]
        .filter((key) => !names.includes(key))
        .map((key) => `${key} is not in the contract`),
      ...declared.flatMap(({ required }, index) => {
        const name = names[index] ?? '';
        const text = given.get(name);
        if (text === undefined) return required === true ? [`${name} is missing`] : [];
        // A parameter is text; it conforms if it does as text or as the value that it spells.
        return differences([text, spelled(text)], name, ...operation, 'parameters', String(index), 'schema');
      }),
    ];
  }

  function requestBody(operation: readonly string[], { requestBody: body }: Exchange): readonly string[] {
    const pointer = [...operation, 'requestBody', 'content', 'application/json', 'schema'];
    const schema = read(...pointer);
    if (schema === undefined) return body === undefined ? [] : ['the call takes no body'];
    if (body === undefined) return ['the call needs a body'];
    return [
      ...differences([body], 'request', ...pointer),
      ...unknownFields(inline(document, schema) as Schema, body, 'request'),
    ];
  }

  function answer(operation: readonly string[], { status, responseBody: body }: Exchange): readonly string[] {
    const exact = read(...operation, 'responses', String(status)) !== undefined;
    if (!exact && status < 400) return ['the contract has no such status'];
    const pointer = [
      ...operation,
      'responses',
      exact ? String(status) : 'default',
      'content',
      'application/json',
      'schema',
    ];
    if (read(...pointer) === undefined) return body === undefined ? [] : ['the answer should have no body'];
    return differences([body], 'answer', ...pointer);
  }

  return {
    violations(exchange) {
      const { method } = exchange.call;
      const url = new URL(exchange.url, 'http://contract');
      const path = paths.find((candidate) => matches(candidate, url.pathname)) ?? '';
      const operation = ['paths', path, method.toLowerCase()];
      if (read(...operation) === undefined)
        return [`${method} ${url.pathname}: the contract has no such call`];
      return [
        // The fake's answers to mistakes are checked; the mistakes themselves are meant.
        ...(exchange.status < 400
          ? [...parameters(operation, path, url), ...requestBody(operation, exchange)]
          : []),
        ...answer(operation, exchange),
      ].map((violation) => `${method} ${path} → ${exchange.status}: ${violation}`);
    },
  };
}

/** Follows a reference, if it is one. */
function resolve(document: Schema, value: Json): Json {
  let current = value;
  while (typeof current === 'object' && current !== null && '$ref' in current) {
    const pointer = String(current.$ref).replace(/^#\//, '').split('/');
    current = pointer.reduce<Json>((inside, part) => (inside as Schema | undefined)?.[part], document);
  }
  return current;
}

/** A schema with every reference replaced by what it refers to. */
function inline(document: Schema, value: Json): Json {
  const target = resolve(document, value);
  if (Array.isArray(target)) return target.map((item) => inline(document, item));
  if (typeof target !== 'object' || target === null) return target;
  return Object.fromEntries(
    Object.entries(target).map(([key, item]) => [
      key,
      key === 'example' ? undefined : inline(document, item),
    ]),
  );
}

/** OpenAPI 3.0 says `nullable` where JSON Schema has a type more. */
function forAjv(value: Json): Json {
  if (Array.isArray(value)) return value.map(forAjv);
  if (typeof value !== 'object' || value === null) return value;
  const schema = Object.fromEntries(
    Object.entries(value)
      .filter(([key]) => key !== 'example' && key !== 'examples' && key !== 'discriminator')
      .map(([key, item]) => [key, forAjv(item)]),
  );
  if (schema.nullable !== true) return schema;
  const { nullable: _nullable, ...rest } = schema;
  return { anyOf: [rest, { type: 'null' }] };
}

function matches(template: string, path: string): boolean {
  const parts = path.split('/');
  const wanted = template.split('/');
  return (
    wanted.length === parts.length &&
    wanted.every((part, index) => part.startsWith('{') || part === parts[index])
  );
}

function spelled(text: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return text;
  }
}

function errors(check: ValidateFunction, what: string): readonly string[] {
  return (check.errors ?? []).map(
    (error) => `${what}${error.instancePath} ${error.message ?? ''} ${JSON.stringify(error.params)}`,
  );
}

/** The contract allows fields that it does not name; a client has no business sending them. */
function unknownFields(schema: Schema, body: Json, where: string): readonly string[] {
  if (Array.isArray(body)) {
    return body.flatMap((item, index) => unknownFields(itemsOf(schema), item, `${where}/${index}`));
  }
  if (typeof body !== 'object' || body === null) return [];
  const known = propertiesOf(schema);
  if (known.size === 0) return [];
  return Object.entries(body).flatMap(([key, value]) => {
    const schemas = known.get(key);
    if (schemas === undefined) return [`${where}/${key} is not in the contract`];
    if (schemas.some((one) => one.readOnly === true)) return [`${where}/${key} is the API's to write`];
    return unknownFields({ allOf: schemas }, value, `${where}/${key}`);
  });
}

function parts(schema: Schema): readonly Schema[] {
  const combined = ['allOf', 'oneOf', 'anyOf'].flatMap((key) => (schema[key] as Schema[] | undefined) ?? []);
  return [schema, ...combined.flatMap(parts)];
}

function propertiesOf(schema: Schema): ReadonlyMap<string, Schema[]> {
  const all = new Map<string, Schema[]>();
  for (const part of parts(schema)) {
    for (const [key, value] of Object.entries((part.properties as Schema | undefined) ?? {})) {
      all.set(key, [...(all.get(key) ?? []), value as Schema]);
    }
  }
  return all;
}

function itemsOf(schema: Schema): Schema {
  return { allOf: parts(schema).flatMap((part) => (part.items === undefined ? [] : [part.items as Schema])) };
}
