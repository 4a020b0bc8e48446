/** The JSON Schema of `pipeline.yml`, for editors, from the same definition that validates it. */
import { z } from 'zod';
import { configSchema } from './schema.ts';

export interface JsonSchema {
  readonly type?: string;
  readonly description?: string;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly additionalProperties?: JsonSchema | boolean;
  readonly items?: JsonSchema;
  readonly anyOf?: readonly JsonSchema[];
}

/** Draft 7: what the YAML language server of editors reads. */
export function pipelineJsonSchema(): JsonSchema {
  const schema = z.toJSONSchema(configSchema, { io: 'input', target: 'draft-7' });
  return { title: 'pipeline.yml', ...schema } as JsonSchema;
}

/** The text of the published file, schema/pipeline.schema.json. */
export function schemaText(): string {
  return `${JSON.stringify(pipelineJsonSchema(), null, 2)}\n`;
}

/** What may stand at a path: several where the definition allows several forms. */
export function schemasAt(root: JsonSchema, path: readonly (string | number)[]): readonly JsonSchema[] {
  return path.reduce<readonly JsonSchema[]>(
    (schemas, step) =>
      schemas.flatMap(forms).flatMap(({ properties, additionalProperties, items }) => {
        const found = typeof step === 'number' ? items : (properties?.[step] ?? additionalProperties);
        return typeof found === 'object' ? [found] : [];
      }),
    [root],
  );
}

/** The keys that may stand in the mapping at a path. */
export function keysAt(root: JsonSchema, path: readonly (string | number)[]): readonly string[] {
  return schemasAt(root, path)
    .flatMap(forms)
    .flatMap(({ properties }) => Object.keys(properties ?? {}));
}

function forms(schema: JsonSchema): readonly JsonSchema[] {
  return schema.anyOf === undefined ? [schema] : schema.anyOf.flatMap(forms);
}
