/** A schema out of files, as options of a command describe it. */

import { readFile } from 'node:fs/promises';
import { basename, extname } from 'node:path';
import { isMemphisError } from '../model/errors.ts';
import type { SchemaType, StationSchema } from '../model/schema.ts';
import { checkSchemaName } from '../model/schema-store.ts';
import { UsageError } from './print.ts';

/** What options say of it, as they were given. */
export interface SchemaFileOptions {
  readonly type?: string | undefined;
  readonly name?: string | undefined;
  readonly 'schema-version'?: string | undefined;
  readonly 'message-name'?: string | undefined;
  readonly import?: readonly string[] | undefined;
}

const endings: Readonly<Record<string, SchemaType>> = {
  '.json': 'json',
  '.proto': 'protobuf',
  '.avsc': 'avro',
  '.graphql': 'graphql',
  '.gql': 'graphql',
};

/** @throws UsageError; MemphisError `INVALID_NAME` */
export async function readSchema(file: string, options: SchemaFileOptions): Promise<StationSchema> {
  const type = typeOf(file, options.type);
  const version = options['schema-version'] ?? '1';
  if (!/^[1-9]\d{0,14}$/.test(version)) throw new UsageError('--schema-version must be a whole number from 1.');
  const messageName = options['message-name'];
  for (const option of ['import', 'message-name'] as const) {
    if (type !== 'protobuf' && options[option] !== undefined) {
      throw new UsageError(`--${option} goes with protobuf, and this is ${type}.`);
    }
  }
  return {
    name: options.name === undefined ? nameOf(file) : checkSchemaName(options.name),
    type,
    version: Number(version),
    source: await readText(file),
    imports: Object.fromEntries(await Promise.all((options.import ?? []).map(readImport))),
    ...(messageName !== undefined && { messageName }),
  };
}

function typeOf(file: string, given: string | undefined): SchemaType {
  const type = given ?? endings[extname(file).toLowerCase()];
  if (type === undefined) throw new UsageError(`--type is missing: ${basename(file)} does not tell it.`);
  const known = Object.values(endings).find((one) => one === type);
  if (known === undefined) throw new UsageError(`--type ${type} is none of the types: json, protobuf, avro, graphql.`);
  return known;
}

function nameOf(file: string): string {
  try {
    return checkSchemaName(basename(file, extname(file)));
  } catch (error) {
    if (!isMemphisError(error)) throw error;
    throw new UsageError(`--name is missing: the file's own will not do. ${error.message}`);
  }
}

/** `path=file`; either may hold more such signs, so the first file that can be read is meant. */
async function readImport(pair: string): Promise<readonly [path: string, text: string]> {
  const splits = [...pair.matchAll(/=/g)]
    .map(({ index }) => [pair.slice(0, index), pair.slice(index + 1)] as const)
    .filter(([path, from]) => path !== '' && from !== '');
  let failure = new UsageError('--import must be path=file.');
  for (const [path, from] of splits) {
    try {
      return [path, await readText(from)];
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
      if (path === splits[0]?.[0]) failure = error;
    }
  }
  throw failure;
}

/** @throws UsageError */
async function readText(file: string): Promise<string> {
  let bytes: Uint8Array;
  try {
    bytes = await readFile(file);
  } catch (error) {
    throw new UsageError(`The file ${file} cannot be read: ${whyNot(error)}.`);
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new UsageError(`The file ${file} is not UTF-8.`);
  }
}

const words: Readonly<Record<string, string>> = {
  ENOENT: 'it is not there',
  EISDIR: 'it is a folder',
  EACCES: 'no right to',
};

/** Why the file system refused. */
export function whyNot(error: unknown): string {
  const { code = '', message = '' } = error as NodeJS.ErrnoException;
  return words[code] ?? message;
}
