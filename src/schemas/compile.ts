/** A schema -> the text of a module that reads it without compiling anything at its start. For build time, not for functions. */

import { describeError, isMemphisError, MemphisError } from '../model/errors.ts';
import type { Given } from '../model/option-spec.ts';
import { compileOptions } from '../model/options/compile.ts';
import { resolveOptions } from '../model/resolve-options.ts';
import type { StationSchema } from '../model/schema.ts';

/** Options of `compileSchema`. */
export interface CompileOptions extends Given<typeof compileOptions> {}

/** Imports that a module needs, and the expression that it exports. */
interface Written {
  readonly imports: string;
  readonly value: string;
}

/**
 * Writes a module (ESM) that registers one version of a schema. Messages are written and read as by the codec, with the
 * same errors. Where a station has another version, the codec is used if it was imported, and is `DEPENDENCY_MISSING` else.
 *
 * @returns its text
 * @throws MemphisError `SCHEMA_INVALID`, `DEPENDENCY_MISSING`, `INVALID_OPTION`
 * @example
 * ```ts
 * await writeFile('src/order.schema.js', await compileSchema(schema, { readsOnly: true }));
 * ```
 */
export async function compileSchema(schema: StationSchema, options: CompileOptions = {}): Promise<string> {
  const { name, type, version } = schema;
  const { readsOnly } = resolveOptions('compileSchema', compileOptions, options);
  try {
    const { imports, value } = await write(schema, readsOnly ? 'reads' : 'compiled');
    return (
      `// Schema ${name}, version ${version}, ${type}; written by \`memphis-serverless schema compile\`. Do not edit.\n` +
      `${imports}\nexport default ${value};\n`
    );
  } catch (cause) {
    if (isMemphisError(cause)) throw cause;
    const code = (cause as { readonly code?: unknown } | null)?.code;
    const isMissing = code === 'ERR_MODULE_NOT_FOUND' || code === 'MODULE_NOT_FOUND';
    throw new MemphisError(
      isMissing ? 'DEPENDENCY_MISSING' : 'SCHEMA_INVALID',
      isMissing
        ? `Compiling a schema of type ${type} needs a package that is not installed: npm install ${packagesFor[type]}.`
        : `Schema ${name}, version ${version}, cannot be compiled: ${describeError(cause).slice(0, 500)}`,
      { cause },
    );
  }
}

/** What compiling imports that is optional. */
const packagesFor: Readonly<Record<string, string>> = {
  json: 'ajv ajv-draft-04 re2js',
  protobuf: 'protobufjs',
  avro: 'avsc',
  graphql: 'graphql',
};

/** @param how names what the module imports: `reads-avro` with `readsAvro`, `compiled-avro` with `compiledAvro` */
async function write(schema: StationSchema, how: 'reads' | 'compiled'): Promise<Written> {
  const { name, type, version, source } = schema;
  const which = JSON.stringify({ name, version });
  const calling = (maker: string, table: unknown): Written => ({
    imports: `import { ${maker} } from 'memphis-serverless/schemas/${how}-${type}';\n`,
    // as text: a large literal takes longer to read than its JSON
    value: `${maker}(${which}, JSON.parse(${JSON.stringify(JSON.stringify(table))}))`,
  });
  switch (type) {
    case 'json': {
      const { compileJson } = await import('./compile-json.ts');
      return compileJson(which, source, how);
    }
    case 'protobuf': {
      const { tableOf } = await import('./protobuf.ts');
      return calling(`${how}Protobuf`, await tableOf(schema));
    }
    case 'avro': {
      const [{ parseAvro }, { flattenAvro }] = await Promise.all([import('./avro-table.ts'), import('./avro-flat.ts')]);
      return calling(`${how}Avro`, flattenAvro(parseAvro(source)));
    }
    case 'graphql': {
      const { graphqlTable } = await import('./compile-graphql.ts');
      return calling(`${how}Graphql`, graphqlTable(source));
    }
    default:
      throw new Error(`${JSON.stringify(type.slice(0, 40))} is no type of schema`);
  }
}
