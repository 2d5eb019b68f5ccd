/** A schema -> the text of a module that reads it without compiling anything at its start. For build time, not for functions. */

import { describeError, isMemphisError, MemphisError } from '../model/errors.ts';
import type { StationSchema } from '../model/schema.ts';

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
 * @throws MemphisError `SCHEMA_INVALID`, `DEPENDENCY_MISSING`
 */
export async function compileSchema(schema: StationSchema): Promise<string> {
  const { name, type, version } = schema;
  try {
    const { imports, value } = await write(schema);
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
        ? `Compiling schemas of type ${type} needs packages that are not installed; see the cause.`
        : `Schema ${name}, version ${version}, cannot be compiled: ${describeError(cause).slice(0, 500)}`,
      { cause },
    );
  }
}

async function write(schema: StationSchema): Promise<Written> {
  const { name, type, version, source } = schema;
  const which = JSON.stringify({ name, version });
  const from = (subpath: string, maker: string): string =>
    `import { ${maker} } from 'memphis-serverless/schemas/${subpath}';\n`;
  switch (type) {
    case 'json': {
      const { compileJson } = await import('./compile-json.ts');
      return compileJson(which, source);
    }
    case 'protobuf': {
      const { tableOf } = await import('./protobuf.ts');
      const table = JSON.stringify(await tableOf(schema));
      // as text: a large literal takes longer to read than its JSON
      const value = `compiledProtobuf(${which}, JSON.parse(${JSON.stringify(table)}))`;
      return { imports: from('compiled-protobuf', 'compiledProtobuf'), value };
    }
    case 'avro': {
      const [{ parseAvro }, { flattenAvro }] = await Promise.all([import('./avro-table.ts'), import('./avro-flat.ts')]);
      const types = JSON.stringify(flattenAvro(parseAvro(source)));
      const value = `compiledAvro(${which}, JSON.parse(${JSON.stringify(types)}))`;
      return { imports: from('compiled-avro', 'compiledAvro'), value };
    }
    case 'graphql': {
      const { graphqlTable } = await import('./compile-graphql.ts');
      const table = JSON.stringify(graphqlTable(source));
      const value = `compiledGraphql(${which}, JSON.parse(${JSON.stringify(table)}))`;
      return { imports: from('compiled-graphql', 'compiledGraphql'), value };
    }
    default:
      throw new Error(`${JSON.stringify(type.slice(0, 40))} is no type of schema`);
  }
}
