/** Schemas: what a broker knows of one, and the ports through which messages are written and read by it. */

export type SchemaType = 'json' | 'protobuf' | 'graphql' | 'avro';

/** A schema as a station has it: its active version. Plain data. */
export interface StationSchema {
  readonly name: string;
  /** One of {@link SchemaType}, or whatever others have written there. */
  readonly type: string;
  /** 1 and up; 0: the station names a schema of which nothing is known. */
  readonly version: number;
  /** The text that it was created with. */
  readonly source: string;
  /** Of protobuf: base64 of a FileDescriptorSet, where the broker has one. */
  readonly descriptor?: string;
  /** Of protobuf: which message; left out: the first of the file. */
  readonly messageName?: string;
  /** Of protobuf: texts that the source imports, by the path that it names. */
  readonly imports?: Readonly<Record<string, string>>;
  /** What its codec made of it when it was created, so that nobody has to do it again. */
  readonly prepared?: unknown;
  /** Why it cannot be used, whoever reads it. */
  readonly problem?: Error;
  /** Nothing is known here but its name and type; this asks for all of it. */
  readonly whole?: () => Promise<StationSchema | undefined>;
}

/** One version of a schema, ready for use. */
export interface CompiledSchema {
  /** @throws MemphisError `INVALID_MESSAGE` for what no message can be made of, `SCHEMA_VIOLATION` with `issues` */
  encode(message: unknown): Uint8Array | Promise<Uint8Array>;
  /** @throws MemphisError `SCHEMA_VIOLATION` with `issues` */
  decode(data: Uint8Array): unknown;
}

/** Makes schemas of one type ready for use. */
export interface SchemaCodec {
  readonly type: SchemaType;
  /** @throws MemphisError `SCHEMA_INVALID` for what does not compile, `DEPENDENCY_MISSING` */
  compile(schema: StationSchema): CompiledSchema | Promise<CompiledSchema>;
  /** Checks a schema that is to be made, beyond that it compiles. @returns what the broker shall keep beside it */
  prepare?(schema: StationSchema): Partial<StationSchema> | Promise<Partial<StationSchema>>;
}
