/** One ajv for each dialect of JSON Schema, set up so that nothing unknown fails and nothing runs for ever. */

import { _, Ajv, type KeywordCxt, type Options, type ValidateFunction } from 'ajv';
import { Ajv2019 } from 'ajv/dist/2019.js';
import { Ajv2020 } from 'ajv/dist/2020.js';
import draft04 from 'ajv-draft-04';
import { step } from './json-helpers.ts';
import { linearPattern } from './patterns.ts';
import { allUnique } from './unique.ts';

type AjvClass = new (options: Options) => Pick<Ajv, 'compile' | 'addKeyword' | 'removeKeyword' | 'RULES'>;

// as ESM sees a CommonJS module it may be the class, or hold it
const Ajv04 = ((draft04 as { readonly default?: unknown }).default ?? draft04) as AjvClass;

/** Without `$schema`: as the broker of Memphis checks it (memphis-wire 7.3). */
const NEWEST = 'https://json-schema.org/draft/2020-12/schema';

const classes: Readonly<Record<string, AjvClass>> = {
  'http://json-schema.org/draft-04/schema': Ajv04,
  'http://json-schema.org/draft-06/schema': Ajv,
  'http://json-schema.org/draft-07/schema': Ajv,
  'https://json-schema.org/draft/2019-09/schema': Ajv2019,
  [NEWEST]: Ajv2020,
  'http://json-schema.org/schema': Ajv2020,
};

/** What stands in the code of a precompiled schema for functions of ours (`compile-json.ts`). */
export const inCode = { pattern: 'MEMPHIS_PATTERN', allUnique: 'MEMPHIS_ALL_UNIQUE', step: 'MEMPHIS_STEP' } as const;

const pattern = Object.assign((text: string) => linearPattern(text), { code: inCode.pattern });

/** Names of dialects, as `$schema` has them. */
function dialectOf(schema: unknown): string {
  const named = typeof schema === 'object' && schema !== null ? (schema as { $schema?: unknown }).$schema : undefined;
  if (named === undefined) return NEWEST;
  if (typeof named !== 'string') throw new Error('$schema must be a text');
  return named.replace(/#$/, '').replace(/^https?:\/\/json-schema\.org\/draft-0/, 'http://json-schema.org/draft-0');
}

/** Formats are notes in all dialects: the SDKs of Memphis do not agree on any (memphis-wire 7.3). */
const common: Options = {
  strict: false,
  logger: false,
  validateFormats: false,
  validateSchema: false,
  ownProperties: true, // a field may be called toString
};

/**
 * A validator.
 *
 * @param allErrors looks on after the first thing that is wrong
 * @param code for code that is written to a file
 * @throws Error what does not compile; never quotes the schema's text
 */
export function makeAjv(schema: unknown, allErrors: boolean, code: Options['code'] = {}): ValidateFunction {
  return setUp(schema, { allErrors, code }).compile(withoutDialect(schema));
}

/** The ajv for a schema, and the schema as it takes it. */
export function setUp(schema: unknown, options: Options): InstanceType<AjvClass> {
  if (typeof schema !== 'boolean' && (typeof schema !== 'object' || schema === null || Array.isArray(schema))) {
    throw new Error('a JSON Schema must be an object or a boolean');
  }
  const dialect = dialectOf(schema);
  const Class = Object.hasOwn(classes, dialect) ? classes[dialect] : undefined;
  if (Class === undefined) throw new Error('its $schema names no draft that is known: 04, 06, 07, 2019-09, 2020-12');
  // until draft 07 what stands beside a $ref counts for nothing
  const ignoreKeywordsWithRef = Class === Ajv || Class === Ajv04;
  const ajv = new Class({ ...common, ignoreKeywordsWithRef, ...options, code: { ...options.code, regExp: pattern } });
  ajv.removeKeyword('uniqueItems');
  ajv.addKeyword({
    keyword: 'uniqueItems',
    type: 'array',
    schemaType: 'boolean',
    error: { message: 'must NOT have duplicate items' },
    code: (cxt: KeywordCxt) => {
      if (cxt.schema !== true) return;
      const unique = cxt.gen.scopeValue('func', {
        ref: allUnique,
        code: _`MEMPHIS_ALL_UNIQUE`,
      });
      cxt.fail(_`!${unique}(${cxt.data})`);
    },
  });
  for (const keyword of ['$ref', '$dynamicRef', '$recursiveRef']) countSteps(ajv.RULES.all[keyword]);
  return ajv;
}

/** References are followed so often and no more (json-helpers.ts). */
function countSteps(rule: Ajv['RULES']['all'][string]): void {
  if (typeof rule !== 'object' || !('code' in rule.definition)) return;
  const { definition } = rule;
  const follow = definition.code;
  definition.code = (cxt, ...rest) => {
    cxt.gen.code(_`${cxt.gen.scopeValue('func', { ref: step, code: _`MEMPHIS_STEP` })}()`);
    follow.call(definition, cxt, ...rest);
  };
}

/** With its metaschema left out, ajv would not know the name. */
export function withoutDialect(schema: unknown): Record<string, unknown> | boolean {
  if (typeof schema === 'boolean') return schema;
  // $async is ajv's own: its validators would answer later
  const { $schema: _dialect, $async: _async, ...rest } = schema as Record<string, unknown>;
  return rest;
}
