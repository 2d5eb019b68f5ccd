/** Where JSON Schema by ajv is not what the public test suite says, by reason. */

import type { DraftName } from './json-schema-suite.ts';

interface Reason {
  readonly why: string;
  /** Left out: all. */
  readonly drafts?: readonly DraftName[];
  readonly file: string;
  /** Only cases that the suite calls valid. */
  readonly valid?: true;
  /** Description of the schema -> those of its cases; of what does not compile there are none. Left out: the whole file. */
  readonly cases?: Readonly<Record<string, readonly string[]>>;
}

const late: readonly DraftName[] = ['draft2019-09', 'draft2020-12'];
const newest: readonly DraftName[] = ['draft2020-12'];

/** Schemas that are refused. */
const refused: readonly Reason[] = [
  { why: 'documents elsewhere are not loaded', file: 'refRemote' },
  {
    why: 'documents elsewhere are not loaded',
    drafts: newest,
    file: 'dynamicRef',
    cases: {
      'strict-tree schema, guards against misspelled properties': [],
      'tests for implementation dynamic anchor and reference link': [],
      '$ref and $dynamicAnchor are independent of order - $defs first': [],
      '$ref and $dynamicAnchor are independent of order - $ref first': [],
      '$ref to $dynamicRef finds detached $dynamicAnchor': [],
    },
  },
  {
    why: 'ajv does not bring the schema of draft 06 along, to be referred to',
    drafts: ['draft6'],
    file: 'definitions',
    cases: { 'validate definition against metaschema': [] },
  },
  {
    why: 'ajv does not bring the schema of draft 06 along, to be referred to',
    drafts: ['draft6'],
    file: 'ref',
    cases: { 'remote ref, containing refs itself': [] },
  },
  { why: '$schema names a dialect of somebody', drafts: late, file: 'vocabulary' },
  {
    why: 'ajv finds no end in names within names',
    drafts: late,
    file: 'ref',
    cases: {
      'refs with relative uris and defs': [],
      'relative refs with absolute uris and defs': [],
      'URN ref with nested pointer ref': [],
    },
  },
  {
    why: 'ajv takes $dynamicRef with a name only',
    drafts: newest,
    file: 'dynamicRef',
    cases: {
      'A $dynamicRef that initially resolves to a schema with a matching $dynamicAnchor resolves to the first $dynamicAnchor in the dynamic scope':
        [],
      'A $dynamicRef that initially resolves to a schema without a matching $dynamicAnchor behaves like a normal $ref to $anchor':
        [],
      'after leaving a dynamic scope, it is not used by a $dynamicRef': [],
    },
  },
  { why: 'ajv wants something in enum', file: 'enum', cases: { 'empty enum': [] } },
];

/** Cases that end otherwise. */
const otherwise: readonly Reason[] = [
  {
    why: 'ajv never looks at a property of this name',
    file: 'properties',
    cases: { 'properties whose names are Javascript object property names': ['__proto__ not valid'] },
  },
  {
    why: 'ajv heeds an id beside a $ref',
    file: 'ref',
    drafts: ['draft4', 'draft6', 'draft7'],
    cases: Object.fromEntries(
      ['id', '$id'].map((id) => [
        `$ref prevents a sibling ${id} from changing the base uri`,
        [
          '$ref resolves to /definitions/base_foo, data does not validate',
          '$ref resolves to /definitions/base_foo, data validates',
        ],
      ]),
    ),
  },
  {
    why: 'ajv reads $recursiveRef in its own way',
    drafts: ['draft2019-09'],
    file: 'recursiveRef',
    cases: {
      '$recursiveRef with no $recursiveAnchor in the initial target schema resource': [
        'leaf node matches: recursion uses the inner schema',
        'leaf node does not match: recursion uses the inner schema',
      ],
    },
  },
  {
    why: 'ajv reads $dynamicRef in its own way',
    drafts: newest,
    file: 'dynamicRef',
    cases: {
      'A $dynamicRef to a $dynamicAnchor in the same schema resource behaves like a normal $ref to an $anchor': [
        'An array of strings is valid',
      ],
      'A $dynamicRef to an $anchor in the same schema resource behaves like a normal $ref to an $anchor': [
        'An array of strings is valid',
      ],
      'A $dynamicRef resolves to the first $dynamicAnchor still in scope that is encountered when the schema is evaluated':
        ['An array of strings is valid'],
      'A $dynamicRef without anchor in fragment behaves identical to $ref': ['An array of numbers is valid'],
      "A $dynamicRef with intermediate scopes that don't include a matching $dynamicAnchor does not affect dynamic scope resolution":
        ['An array of strings is valid'],
      'An $anchor with the same name as a $dynamicAnchor is not used for dynamic scope resolution': [
        'Any array is valid',
      ],
      'A $dynamicRef without a matching $dynamicAnchor in the same schema resource behaves like a normal $ref to $anchor':
        ['Any array is valid'],
      'A $dynamicRef with a non-matching $dynamicAnchor in the same schema resource behaves like a normal $ref to $anchor':
        ['Any array is valid'],
      'multiple dynamic paths to the $dynamicRef keyword': [
        'number list with string values',
        'string list with number values',
      ],
      '$dynamicRef points to a boolean schema': ['follow $dynamicRef to a false schema'],
      '$dynamicRef skips over intermediate resources - direct reference': ['integer property passes'],
      '$dynamicRef avoids the root of each schema, but scopes are still registered': [
        'data is sufficient for schema at second#/$defs/length',
      ],
    },
  },
  {
    why: 'ajv does not see what a $dynamicRef has evaluated',
    drafts: newest,
    file: 'unevaluatedItems',
    cases: { 'unevaluatedItems with $dynamicRef': ['with no unevaluated items'] },
  },
  {
    why: 'ajv does not see what a $dynamicRef has evaluated',
    drafts: newest,
    file: 'unevaluatedProperties',
    cases: { 'unevaluatedProperties with $dynamicRef': ['with no unevaluated properties'] },
  },
  {
    why: 'ajv does not count what contains has evaluated',
    drafts: newest,
    file: 'unevaluatedItems',
    cases: {
      'unevaluatedItems depends on adjacent contains': ['contains passes, second item is not evaluated'],
      'unevaluatedItems depends on multiple nested contains': ['7 not evaluated, fails unevaluatedItems'],
      'unevaluatedItems and contains interact to control item dependency relationship': [
        "only b's are invalid",
        "only c's are invalid",
        "only b's and c's are invalid",
        "only a's and c's are invalid",
      ],
      'unevaluatedItems with minContains = 0': ['all items evaluated by contains'],
    },
  },
  {
    why: 'ajv does not see which items a schema within has evaluated',
    drafts: late,
    file: 'unevaluatedItems',
    cases: { 'unevaluatedItems with nested items': ['with no additional items', 'with invalid additional item'] },
  },
  {
    why: 'ajv passes over an if without then and else',
    drafts: late,
    file: 'unevaluatedItems',
    cases: { 'unevaluatedItems can see annotations from if without then and else': ['valid in case if is evaluated'] },
  },
  {
    why: 'ajv passes over an if without then and else',
    drafts: late,
    file: 'unevaluatedProperties',
    cases: {
      'unevaluatedProperties can see annotations from if without then and else': ['valid in case if is evaluated'],
    },
  },
  {
    why: 'ajv counts what an if looked at though it did not hold',
    drafts: late,
    file: 'unevaluatedProperties',
    cases: {
      'unevaluatedProperties with if/then/else, then not defined': ['when if is false and has unevaluated properties'],
    },
  },
  {
    why: 'ajv does not count what an if looked at where there is no then',
    drafts: late,
    file: 'unevaluatedProperties',
    valid: true, // older states of the suite have another message under this name
    cases: {
      'unevaluatedProperties with if/then/else, then not defined': [
        'when if is true and has no unevaluated properties',
      ],
    },
  },
];

/** Why a schema is listed as refused; nothing where it is not. */
export function whyRefused(draft: DraftName, file: string, schema: string): string | undefined {
  return refused.find((one) => isOf(one, draft, file) && (one.cases === undefined || Object.hasOwn(one.cases, schema)))
    ?.why;
}

/** Why a case is listed as ending otherwise; nothing where it is not. */
export function whyOtherwise(
  draft: DraftName,
  file: string,
  schema: string,
  its: string,
  valid: boolean,
): string | undefined {
  return otherwise.find(
    (one) => isOf(one, draft, file) && valid === (one.valid ?? valid) && one.cases?.[schema]?.includes(its),
  )?.why;
}

const isOf = ({ drafts, file }: Reason, draft: DraftName, its: string): boolean =>
  (drafts?.includes(draft) ?? true) && file === its;
