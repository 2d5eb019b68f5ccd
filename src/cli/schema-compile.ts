/** `schema compile`: a schema, from a file or as a station has it, -> a module for a function's bundle. */

import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { connect } from '../client/connect.ts';
import { MemphisError } from '../model/errors.ts';
import type { StationSchema } from '../model/schema.ts';
import { checkName } from '../model/station.ts';
import { compileSchema } from '../schemas/compile.ts';
import { type Output, UsageError } from './print.ts';
import { readArgs } from './read-args.ts';
import { readSchema, whyNot } from './schema-file.ts';

const help = `Usage:
  memphis-serverless schema compile <file> [--name order] [--type json] [--schema-version 1]
  memphis-serverless schema compile --station orders [--servers nats://127.0.0.1:4222]

Writes a module that registers one version of a schema, so that a function compiles nothing at its start. Import it in the
function: import './order.schema.js'. When the station has another version by then, the codec of the type is used where
it was imported as well; else producing and reading end with DEPENDENCY_MISSING.

  --station <name>         the schema that this station has now; how to connect is also taken from MEMPHIS_* variables
  --servers <list>         servers, with commas between them
  --type <type>            json, protobuf, avro or graphql; left out: by the file's ending (.json, .proto, .avsc, .graphql)
  --name <name>            the schema's name at the broker; left out: the file's without its ending
  --schema-version <n>     its version at the broker; 1 unless stated
  --message-name <name>    of protobuf: which message
  --import <path=file>     of protobuf: what the source imports; may be given many times
  --reads-only             for functions that consume and do not produce by it: their bundle holds nothing that writes
  --out <file>             where to write an ES module; folders are made; left out: stdout
  --json                   tells what was written as JSON, with the code where there is no --out
  --help                   this text

Exit codes: 0 written; 1 failed, the reason is on stderr; 2 called wrongly.
`;

const options = {
  station: { type: 'string' },
  servers: { type: 'string' },
  type: { type: 'string' },
  name: { type: 'string' },
  'schema-version': { type: 'string' },
  'message-name': { type: 'string' },
  import: { type: 'string', multiple: true },
  'reads-only': { type: 'boolean' },
  out: { type: 'string' },
  json: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const;

type Given = ReturnType<typeof readArgs<typeof options>>['values'];

/** @throws UsageError; MemphisError `SCHEMA_INVALID`, `SCHEMA_NOT_FOUND`, `DEPENDENCY_MISSING`, and what connecting throws */
export async function schemaCompile(args: readonly string[], output: Output): Promise<void> {
  const { values, positionals } = readArgs(args, options);
  if (values.help === true) return output.data(help);
  const [file, ...more] = positionals;
  if (more.length > 0) throw new UsageError(`One file at a time: what is ${more[0]}?`);
  if ((file === undefined) === (values.station === undefined)) {
    throw new UsageError('schema compile: give either a file or --station.');
  }
  const { out, json } = values;
  if (out === '') throw new UsageError('--out is empty.');
  if (/\.c[jt]s$/.test(out ?? ''))
    throw new UsageError('--out: what is written is an ES module; end it with .js or .mjs.');
  if (file !== undefined && values.servers !== undefined) throw new UsageError('--servers goes with --station.');
  const schema = file === undefined ? await ofStation(values, output) : await readSchema(file, values);
  const code = await compileSchema(schema, { readsOnly: values['reads-only'] === true });
  const { name, type, version } = schema;
  if (out !== undefined) await write(out, code);
  const bytes = Buffer.byteLength(code);
  if (json === true) {
    output.data(`${JSON.stringify({ name, type, version, bytes, ...(out === undefined ? { code } : { out }) })}\n`);
  } else if (out === undefined) output.data(code);
  else output.talk(`Schema ${name}, version ${version}, ${type}: ${bytes} bytes in ${out}.\n`);
}

async function write(file: string, code: string): Promise<void> {
  try {
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, code);
  } catch (error) {
    throw new Error(`${file} cannot be written: ${whyNot(error)}.`, { cause: error });
  }
}

async function ofStation({ station: given = '', servers, ...rest }: Given, output: Output): Promise<StationSchema> {
  for (const option of ['type', 'name', 'schema-version', 'message-name', 'import'] as const) {
    if (rest[option] !== undefined) throw new UsageError(`--${option} goes with a file: the station says it itself.`);
  }
  const station = checkName('station', given);
  output.talk(`Asking the broker for the schema of station ${station}.\n`);
  const memphis = await connect(servers === undefined ? {} : { servers: servers.split(',').map((one) => one.trim()) });
  try {
    const broker = await memphis.session.broker();
    const schema = await broker.schemaOf?.(station);
    if (schema !== undefined && schema.version > 0) return schema;
    throw new MemphisError('SCHEMA_NOT_FOUND', `Station ${station} has no schema.`, { station });
  } finally {
    await memphis.close();
  }
}
