/** Precompiled operations of GraphQL against the package `graphql`: the same are taken, the same are refused. */

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { isMemphisError } from '../../src/index.ts';
import type { CompiledSchema } from '../../src/model/schema.ts';
import { graphqlTable } from '../../src/schemas/compile-graphql.ts';
import { compiledGraphql } from '../../src/schemas/compiled-graphql.ts';
import { graphqlCodec } from '../../src/schemas/graphql.ts';
import { checkOperations } from '../../src/schemas/graphql-check.ts';
import { isPlain } from '../../src/schemas/graphql-plain.ts';
import { completed } from '../../src/schemas/graphql-standard.ts';

const source = `
  directive @mark(n: Int! = 1, tag: [String!]) repeatable on FIELD | QUERY | VARIABLE_DEFINITION | FRAGMENT_SPREAD
  directive @need(on: Boolean!) on FIELD | INLINE_FRAGMENT | FRAGMENT_DEFINITION | MUTATION | SUBSCRIPTION
  scalar Any
  enum Kind { BIG SMALL }
  input Inner { a: Int! b: Int = 3 c: [Inner!] k: Kind }
  input One @oneOf { a: Int b: String c: Inner }
  interface Node { id: ID! kind: Kind }
  interface Named implements Node { id: ID! kind: Kind name(upper: Boolean): String }
  type Dog implements Node & Named { id: ID! kind: Kind name(upper: Boolean): String friends(first: Int! = 5): [Node!]! bark: Int }
  type Cat implements Node { id: ID! kind: Kind bark: String! friends(first: Int): [Node!]! purr: Pet }
  type Stone { weight: Float }
  union Pet = Dog | Cat
  union Thing = Stone
  type Query { node(id: ID!): Node pet: Pet thing: Thing dog: Dog cat: Cat find(in: Inner, ones: [One!], one: One, list: [[Int]], any: Any, k: Kind, f: Float, s: String, b: Boolean): [Pet!] count: Int! echo(s: String, f: Float, b: Boolean, k: Kind, list: [[Int]], ones: [One!]): Int }
  type Mutation { add(in: Inner!): Dog drop: Boolean }
  type Subscription { dogs: Dog cats: Cat }`;

const theirs = graphqlCodec.compile({ name: 's', type: 'graphql', version: 1, source }) as CompiledSchema;
const ours = await compiledGraphql({ name: 's', version: 1 }, graphqlTable(source)).open(undefined);

/** Why it is refused; nothing where it is taken. */
function refusal(codec: CompiledSchema, document: string): string | undefined {
  try {
    codec.encode(document);
    return undefined;
  } catch (error) {
    assert.ok(isMemphisError(error, 'SCHEMA_VIOLATION'), String((error as Error).stack));
    assert.doesNotMatch(JSON.stringify([error.message, error.issues]), /secret|4711/, document);
    return error.message;
  }
}

const RUNS = Number(process.env.RUNS ?? 500);
const tally = { taken: 0, refused: 0, plain: 0 };
function agree(document: string): void {
  const [a, b] = [refusal(ours, document), refusal(theirs, document)];
  assert.equal(a === undefined, b === undefined, `${document}\nprecompiled: ${a}\ngraphql: ${b}`);
  tally[a === undefined ? 'taken' : 'refused'] += 1;
  if (!isPlain(raw, document, 4_000)) return;
  tally.plain += 1;
  checkOperations(raw, document, 4_000); // what the short road takes the long one takes as well
}

const raw = graphqlTable(source);
const table = completed(raw);

/** A document that goes by the schema, but for a slip here and there. @param pick a number from 0 to its argument */
function nearlySound(pick: (upTo: number) => number): string {
  const one = <T>(all: readonly T[]): T => all[pick(all.length - 1)] as T;
  const slips = (): boolean => pick(60) === 60;
  const variables = new Map<string, string>();
  const fragments = new Map<string, string>();
  const value = (type: string, depth: number): string => {
    const plain = type.replace(/[!=]+$/, '');
    if (slips()) return one(['4711', '"secret"', 'null', 'secret', '{ a: 4711, secret: 4711 }', '["secret"]']);
    if (pick(5) === 5) {
      const name = one(['a', 'b', 'c']);
      const known = variables.get(name);
      if (known === undefined) variables.set(name, one([`${plain}!`, plain, `${plain} = null`]));
      return `$${name}`;
    }
    if (!/!=?$/.test(type) && pick(6) === 6) return 'null';
    if (plain.startsWith('[')) {
      const inner = plain.slice(1, -1);
      return pick(1) === 0
        ? value(inner, depth + 1)
        : `[${[1, 2]
            .slice(pick(2))
            .map(() => value(inner, depth + 1))
            .join()}]`;
    }
    const row = table.types[plain];
    if (row?.kind === 'enum') return one(row.values ?? []);
    if (row?.kind === 'input') {
      const names = Object.keys(row.inputs ?? {});
      const chosen = row.isOneOf
        ? [one(names)]
        : names.filter((name) => /!$/.test(row.inputs?.[name] ?? '') || (depth < 2 && pick(2) === 2));
      return `{ ${chosen.map((name) => `${name}: ${value(row.inputs?.[name] ?? '', depth + 1)}`).join(' ')} }`;
    }
    const written = { Int: '4711', Float: '4711.5', String: '"secret"', Boolean: 'true', ID: '4711' }[plain];
    return written ?? one(['4711', '"secret"', '{ a: [secret] }']);
  };
  const args = (inputs: Readonly<Record<string, string>> = {}): string => {
    const names = Object.keys(inputs).filter((name) => (/!$/.test(inputs[name] ?? '') ? !slips() : pick(3) === 3));
    return names.length === 0 ? '' : `(${names.map((name) => `${name}: ${value(inputs[name] ?? '', 0)}`).join()})`;
  };
  const named = (type: string): string => type.replaceAll(/[[\]!]/g, '');
  const selections = (parent: string, depth: number): string => {
    const all = [0, 1, 2, 3].slice(pick(3)).map(() => {
      const alias = one(['', '', '', 'x: ', 'y: ']);
      const directive = one(['', '', '', '', ' @skip(if: true)', ' @mark', ' @mark(n: 2) @mark']);
      const types = Object.entries(table.types).filter(([name, { kind, objects = [name] }]) => {
        const mine = table.types[parent]?.objects ?? [parent];
        return /object|interface|union/.test(kind) && (slips() || objects.some((object) => mine.includes(object)));
      });
      const kind = pick(7);
      const [on] = one(types) ?? [parent];
      if (kind === 7 && depth < 3) return `... on ${on} ${selections(on, depth + 1)}`;
      if (kind === 6 && depth < 3) {
        const name = `f${on}`;
        if (!fragments.has(name)) {
          fragments.set(name, '');
          fragments.set(name, `fragment ${name} on ${on} ${selections(on, depth + 2)}`);
        }
        return `...${name}`;
      }
      const fields = Object.entries(table.types[parent]?.fields ?? {}).filter(
        ([, [type]]) => depth < 3 || !table.types[named(type)]?.fields,
      );
      const [name, [type, inputs]] = one([...fields, ['__typename', ['String!']] as const]) as [
        string,
        [string, Record<string, string>?],
      ];
      const isLeaf = /scalar|enum/.test(table.types[named(type)]?.kind ?? '');
      return `${alias}${slips() ? 'secret' : name}${args(inputs)}${directive}${isLeaf ? '' : ` ${selections(named(type), depth + 1)}`}`;
    });
    return `{ ${all.length === 0 ? '__typename' : all.join(' ')} }`;
  };
  const [kind, root] = one([
    ['query', 'Query'],
    ['query', 'Query'],
    ['mutation', 'Mutation'],
    ['subscription', 'Subscription'],
  ] as const);
  const body = selections(root, 0);
  const head = variables.size === 0 ? '' : `(${[...variables].map(([name, type]) => `$${name}: ${type}`).join()})`;
  return `${kind} q${head} ${body} ${[...fragments.values()].join(' ')}`;
}

/** By rule: what is taken, and what is refused. */
const cases: Readonly<Record<string, { readonly good: readonly string[]; readonly bad: readonly string[] }>> = {
  syntax: {
    good: [
      '{count}',
      '\uFEFF{ count, count }# a comment',
      'query q { count }',
      '"""what""" query { count }',
      '"x" query ("y" $s: String) { find(s: $s) { __typename } }',
      'query on { count }',
      '{ find(s: "\\u0041\\u{1F600}\\uD83D\\uDE00\\n") { __typename } }',
      '{ find(s: """ a \\""" b\n  c""") { __typename } }',
      '{ find(f: -1.5e+3, s: "", any: { a: [1, $b], c: null }) { __typename } }'.replace('$b', 'B'),
      '# only\r\n{ count }',
    ],
    bad: [
      '',
      '#',
      '{',
      '{}',
      '{ dog { } }',
      'query',
      'query () { count }',
      '{ count() }',
      '"x" { count }',
      '{ count } }',
      'type A { a: Int }',
      'extend type Query { a: Int }',
      '{ find(s: "a\n") { __typename } }',
      '{ find(s: "\\x") { __typename } }',
      '{ find(s: "\\uD83D") { __typename } }',
      '{ find(s: "\\u{110000}") { __typename } }',
      '{ find(s: "\\u{D800}") { __typename } }',
      '{ find(s: "\\u{}") { __typename } }',
      '{ find(s: """a\\""") { __typename } }',
      '{ find(f: 01) { __typename } }',
      '{ find(f: 1.) { __typename } }',
      '{ find(f: 1a) { __typename } }',
      '{ find(f: .5) { __typename } }',
      '{ ... on }',
      '{ ..count }',
      "{ find(s: 'x') { __typename } }",
      'fragment on on Dog { id } { dog { ...on } }',
      'query ($a: Int = $b) { count }',
      '{ a: b: count }',
      '\u0000{ count }',
      '{ count \ud800 }',
      'subscription',
      '{ count @ mark }'.replace('@ mark', '@'),
    ],
  },
  'errors, which tell nothing of the message': {
    good: [],
    bad: [
      '{ secret }',
      '{ dog { id(secret: 4711) } }',
      '{ dog { id @secret } }',
      '{ ...secret }',
      'fragment secret on Secret { id }',
      '{ ... on secret { id } }',
      'query secret($secret: secret) { count }',
      'query ($secret: Int) { count }',
      '{ find(s: $secret) { __typename } }',
      '{ find(k: secret) { __typename } }',
      '{ find(b: "secret") { __typename } }',
      '{ find(in: { a: 4711, secret: 1 }) { __typename } }',
      '{ secret: count secret: __typename }',
      'secret { count }',
      '{ find(s: "secret',
    ],
  },
  operations: {
    good: ['query a { count } query b { count } mutation c { drop }', 'subscription { dogs { id } }'],
    bad: [
      'query a { count } query a { count }',
      '{ count } query b { count }',
      '{ count } { count }',
      'subscription { dogs { id } cats { id } }',
      'subscription { __typename }',
      'subscription { dogs @skip(if: true) { id } }',
      'subscription { ...f } fragment f on Subscription { dogs { id } a: cats { id } }',
      'subscription { ... on Subscription @include(if: true) { dogs { id } } }',
    ],
  },
  fields: {
    good: [
      '{ __typename __schema { types { name } } __type(name: "Dog") { name } }',
      '{ pet { __typename ... on Dog { bark } } }',
      '{ node(id: 1) { id ... on Named { name } ... on Cat { purr { __typename } } } }',
    ],
    bad: [
      '{ nope }',
      '{ pet { id } }',
      '{ count { a } }',
      '{ dog }',
      '{ dog { __schema { types { name } } } }',
      'mutation { __schema { types { name } } }',
      '{ constructor }',
      '{ __proto__ }',
      '{ dog { toString } }',
      '{ __type { name } }',
    ],
  },
  fragments: {
    good: [
      '{ dog { ...a } } fragment a on Dog { ...b } fragment b on Node { id }',
      '{ pet { ...a } } fragment a on Node { id }',
      '{ ... { count } ... @include(if: true) { count } }',
    ],
    bad: [
      '{ dog { ...a } }',
      '{ count } fragment a on Dog { id }',
      '{ dog { ...a ...a } } fragment a on Dog { id } fragment a on Dog { id }',
      '{ dog { ...a } } fragment a on Dog { ...a }',
      '{ dog { ...a } } fragment a on Dog { ...b } fragment b on Dog { friends { ...a } }',
      '{ dog { ...a } } fragment a on Cat { id }',
      '{ dog { ... on Thing { __typename } } }',
      '{ pet { ... on Thing { __typename } } }',
      '{ dog { ... on Nope { id } } }',
      '{ dog { ... on Int { id } } }',
      '{ dog { ... on Inner { a } } }',
      '{ dog { ...a } } fragment a on Kind { id }',
      '{ count } fragment a on Dog { ...b } fragment b on Dog { ...a }',
    ],
  },
  arguments: {
    good: [
      '{ find(in: { a: 1 }) { __typename } }',
      '{ find(in: { a: 1, c: { a: 2 }, k: BIG }, list: 1) { __typename } }',
      '{ find(list: [1, [2, null], null], any: { x: [{ y: Z }] }) { __typename } }',
      '{ find(one: { a: 1 }, ones: { b: "x" }) { __typename } }',
      '{ find(f: 1, k: null) { __typename } }',
      '{ node(id: "a") { id } }',
    ],
    bad: [
      '{ node { id } }',
      '{ node(id: null) { id } }',
      '{ node(id: 1, id: 2) { id } }',
      '{ node(id: 1, x: 2) { id } }',
      '{ node(id: 1.5) { id } }',
      '{ find(in: {}) { __typename } }',
      '{ find(in: { a: 1, z: 1 }) { __typename } }',
      '{ find(in: { a: 1, a: 1 }) { __typename } }',
      '{ find(in: { a: null }) { __typename } }',
      '{ find(in: 1) { __typename } }',
      '{ find(in: { a: 2147483648 }) { __typename } }',
      '{ find(in: { a: 1, k: "BIG" }) { __typename } }',
      '{ find(k: HUGE) { __typename } }',
      '{ find(k: true) { __typename } }',
      '{ find(any: { a: 1, a: 2 }) { __typename } }',
      '{ find(list: ["a"]) { __typename } }',
      '{ find(list: [[[1]]]) { __typename } }',
      '{ find(one: {}) { __typename } }',
      '{ find(one: { a: 1, b: "x" }) { __typename } }',
      '{ find(one: { a: null }) { __typename } }',
      '{ find(b: 1) { __typename } }',
      '{ find(s: 1) { __typename } }',
      '{ find(f: "1") { __typename } }',
    ],
  },
  directives: {
    good: [
      'query @mark @mark(n: 2) { count @skip(if: false) @mark(tag: "x") }',
      'query ($b: Boolean! @mark) { count @include(if: $b) }',
      '{ dog { ...a @mark } } fragment a on Dog @need(on: true) { id }',
    ],
    bad: [
      '{ count @nope }',
      '{ count @skip }',
      '{ count @skip(if: true) @skip(if: true) }',
      '{ count @deprecated }',
      'query @need(on: true) { count }',
      '{ count @need(on: 1) }',
      '{ count @mark(n: null) }',
      '{ count @mark(n: 1, n: 1) }',
      '{ count @mark(x: 1) }',
      '{ count @skip(if: $b) }',
      'query ($b: Boolean! @mark(n: $b)) { count @include(if: $b) }',
    ],
  },
  variables: {
    good: [
      'query ($a: Int!) { find(in: { a: $a }) { __typename } }',
      'query ($a: Int = 1) { find(in: { a: $a }) { __typename } }',
      'query ($a: Int) { dog { friends(first: $a) { id } } }',
      'query ($i: Inner!) { find(in: $i) { __typename } }',
      'query ($i: [Inner!]) { find(in: { a: 1, c: $i }) { __typename } }',
      'query ($x: Boolean) { find(any: { a: [$x] }) { __typename } }',
      'query ($a: Int!) { find(one: { a: $a }) { __typename } }',
      'query ($a: Int) { find(ones: { a: $a }) { __typename } }',
      'query ($a: [Int]) { find(list: [$a]) { __typename } }',
      'query ($a: Int) { find(ones: [{ a: $a }]) { __typename } }',
      'query ($a: ID!) { ...f } fragment f on Query { node(id: $a) { id } }',
      'query a($a: ID!) { ...f } query b($a: ID!) { ...f } fragment f on Query { node(id: $a) { id } }',
    ],
    bad: [
      'query ($a: Int) { find(in: { a: $a }) { __typename } }',
      'query ($a: Int = null) { find(in: { a: $a }) { __typename } }',
      'query ($a: Int! = null) { find(in: { a: $a }) { __typename } }',
      'query ($a: Int) { count }',
      'query ($a: Int, $a: Int) { dog { friends(first: $a) { id } } }',
      'query ($a: Dog) { find(any: $a) { __typename } }',
      'query ($a: Nope) { find(any: $a) { __typename } }',
      'query ($a: String) { find(k: $a) { __typename } }',
      'query ($a: [Int]) { find(f: $a) { __typename } }',
      'query ($a: Int) { find(list: $a) { __typename } }',
      'query ($a: Int) { find(one: { a: $a }) { __typename } }',
      'query a($a: ID!) { ...f } query b { ...f } fragment f on Query { node(id: $a) { id } }',
      '{ find(any: { a: [$x] }) { __typename } }',
      'query ($a: Int = "x") { dog { friends(first: $a) { id } } }',
      'query ($a: Inner = { b: 1 }) { find(in: $a) { __typename } }',
    ],
  },
  merging: {
    good: [
      '{ dog { id id } dog { id: id } }',
      '{ pet { ... on Dog { name } ... on Cat { name: kind } } }'.replace('name: kind', 'x: kind'),
      '{ pet { ... on Dog { x: id } ... on Cat { x: id } } }',
      '{ pet { ... on Dog { friends(first: 1) { id } } ... on Cat { friends(first: 2) { id } } } }',
      '{ pet { ... on Dog { x: __typename } ... on Cat { x: bark } } }',
      '{ a: find(in: { a: 1, b: 2 }) { __typename } a: find(in: { b: 2, a: 1 }) { __typename } }',
      '{ a: find(s: "A") { __typename } a: find(s: "\\u0041") { __typename } }',
      '{ dog { ...f } dog { ...f } } fragment f on Dog { friends { id } }',
    ],
    bad: [
      '{ a: count a: __typename }',
      '{ dog { x: id x: bark } }',
      '{ dog { name name(upper: true) } }',
      '{ pet { ... on Dog { bark } ... on Cat { bark } } }',
      '{ pet { ... on Dog { x: id } ... on Cat { x: kind } } }',
      '{ dog { x: id } ...f } fragment f on Query { dog { x: kind } }',
      '{ node(id: 1) { x: id ... on Dog { x: kind } } }',
      '{ a: find(s: "A") { __typename } a: find(s: """A""") { __typename } }',
      '{ a: find(f: 1) { __typename } a: find(f: 1.0) { __typename } }',
      '{ dog { friends { x: id } } dog { friends { x: kind } } }',
      '{ pet { ... on Dog { x: friends { y: id } } ... on Cat { x: friends { y: kind } } } }',
      '{ pet { ... on Dog { x: dogs: id } } }',
    ],
  },
  introspection: {
    good: ['{ __schema { types { fields { type { fields { name } } } } } }'],
    bad: [
      '{ __schema { types { fields { type { fields { type { fields { name } } } } } } } }',
      '{ __type(name: "x") { ...f } } fragment f on __Type { fields { type { fields { type { interfaces { name } } } } } }',
    ],
  },
};

describe('precompiled GraphQL', () => {
  for (const [rule, { good, bad }] of Object.entries(cases)) {
    test(`${rule}: what the package takes is taken, what it refuses is refused`, () => {
      for (const document of good) {
        agree(document);
        assert.equal(refusal(ours, document), undefined, document);
      }
      for (const document of bad) {
        agree(document);
        assert.ok(refusal(ours, document) !== undefined, document);
      }
    });
  }

  test('documents that are made to keep it busy end, in time', () => {
    const levels = Array.from({ length: 60 }, (_, level) => level);
    const twins = levels.map((level) => {
      const [f, g] = [`...f${level + 1}`, `...g${level + 1}`];
      return `fragment f${level} on Node { ... on Dog { friends { ${f} ${g} } } ... on Cat { friends { ${g} } } }
        fragment g${level} on Node { ... on Cat { friends { ${f} ${g} } } ... on Dog { friends { ${f} } } }`;
    });
    const last = 'fragment f60 on Node { id } fragment g60 on Node { id kind }';
    const started = process.cpuUsage();
    for (const document of [
      '{ dog { friends '.repeat(100_000),
      `{ dog ${'{ friends { ... on Dog '.repeat(600)}{ id }${' } }'.repeat(600)} }`,
      `{ ${'count '.repeat(3_900)} }`,
      `{ ${'...f '.repeat(900)} } fragment f on Query { ${'node(id: 1) { id } '.repeat(300)} }`,
      `{ node(id: 1) { ...f0 ...g0 } } ${twins.join(' ')} ${last}`,
      `{ find(any: ${'['.repeat(1_900)}${']'.repeat(1_900)}) { __typename } }`,
      `query ($a: ${'['.repeat(1_900)}Int${']'.repeat(1_900)}) { find(list: $a) { __typename } }`,
      `{ find(s: "${'\\\\'.repeat(200_000)}") { __typename } }`,
      `{ find(s: ${'"'.repeat(3_001)}) { __typename } }`,
      '#'.repeat(500_000),
      `{ find(f: ${'1'.repeat(500_000)}) { __typename } }`,
      `{ find(f: ${'1'.repeat(500_000)}x) { __typename } }`,
      `{ find(s: "${'\\n'.repeat(500_000)}`,
      `{ find(s: """${'" \\'.repeat(500_000)}`,
    ]) {
      refusal(ours, document);
    }
    const { user, system } = process.cpuUsage(started);
    assert.ok(user + system < 20_000_000, `${(user + system) / 1_000} ms`);
  });

  test('a document may be as long as it likes between its tokens, and in its texts', () => {
    for (const document of [
      `${'#\n'.repeat(3_000_000)}{ count }`,
      `{ find(s: "${'\\n'.repeat(500_000)}") { __typename } }`,
      `{ find(s: """${'" '.repeat(500_000)}""") { __typename } }`,
    ]) {
      assert.equal(refusal(theirs, document), undefined);
      assert.equal(refusal(ours, document), undefined);
    }
  });

  const plain = [
    '{ count }',
    '\ufeff{count,}',
    'query { count other: count }',
    'query named { dog { id kind name friends { id } } }',
    'mutation { add(in: { a: 1 }) { id } drop }',
    'mutation m{add(in:{a:-1,b:0,c:[{a:2},{a:3,k:BIG}],k:SMALL}){id}}',
    '{ node(id: "o-1") { id kind } again: node(id: 7) { id } }',
    '{ node(id: "é😀") { id } dog { id } cat { friends(first: 2) { id } } }',
    '{ echo(f: 1.5, s: "", b: true, k: BIG, list: [[1, -2], [], [0]], ones: []) a: echo(f: 2) }',
    '{ dog { name(upper: false) friends(first: 3) { id } } }',
    '{\n  count\r\n\tdog { id }\n}\n',
  ];

  test('plain documents go the short road, and what is but a little else ends as it does on the long one', () => {
    for (const document of plain) {
      assert.ok(isPlain(raw, document, 4_000), document);
      agree(document);
    }
    const put = fc.constantFrom('', ...' {}()[]:,"\\!$@#.-0123eEabq\n', '😀', '...', '"""', 'null', 'count', 'a: 1');
    fc.assert(
      fc.property(fc.constantFrom(...plain), fc.nat(), fc.nat(2), put, (document, at, removed, text) => {
        const from = at % (document.length + 1);
        agree(document.slice(0, from) + text + document.slice(from + removed));
      }),
      { numRuns: RUNS * 4 },
    );
  });

  test('what is long, or what the short road does not know, is left to the long one', () => {
    for (const document of [
      '{ __typename }',
      '{ count # one\n }',
      '{ count count }',
      'query($k: Kind) { find(k: $k) { ... on Dog { id } } }',
      'subscription { dogs { id } }',
      '{ echo(f: 1e3) }',
      '{ echo(s: "\\n") }',
      '{ echo(s: """a""") }',
      '{ echo(s: null) }',
      '{ echo(list: 1) }',
      '{ find(one: { a: 1 }) { __typename } }',
      '{ find(any: 1) { __typename } }',
      '{ count @skip(if: true) }',
    ]) {
      assert.equal(isPlain(raw, document, 4_000), false, document);
      assert.equal(refusal(ours, document), undefined, document);
    }
    assert.equal(isPlain(raw, '{ count a: count }', 6), true);
    assert.equal(isPlain(raw, '{ count a: count }', 5), false);
    assert.equal(isPlain(raw, '{ dog { friends '.repeat(100_000), 4_000), false);
  });

  test('documents that go by the schema, or nearly, end alike', () => {
    const before = tally.taken;
    fc.assert(
      fc.property(fc.gen(), (pick) => {
        agree(nearlySound((upTo) => pick(fc.nat, upTo)));
      }),
      { numRuns: RUNS * 2 },
    );
    assert.ok(tally.taken - before > RUNS / 5, `${tally.taken - before} were taken`);
  });

  test('documents made of the schema, and of its words in any order, end alike', () => {
    const names = [
      'id',
      'kind',
      'name',
      'bark',
      'friends',
      'purr',
      'weight',
      'count',
      'dog',
      'cat',
      'pet',
      'node',
      'find',
      '__typename',
    ];
    const value = fc.letrec<{ value: string }>((tie) => ({
      value: fc.oneof(
        { maxDepth: 3, depthIdentifier: 'value' },
        fc.constantFrom(
          '1',
          '-3',
          '2147483648',
          '1.5',
          '"x"',
          '"""x"""',
          'true',
          'null',
          'BIG',
          'HUGE',
          '$a',
          '$b',
          '$i',
        ),
        fc.array(tie('value'), { maxLength: 3 }).map((all) => `[${all.join()}]`),
        fc
          .array(fc.tuple(fc.constantFrom('a', 'b', 'c', 'k', 'z'), tie('value')), { maxLength: 3 })
          .map((all) => `{${all.map(([name, one]) => `${name}: ${one}`).join()}}`),
      ),
    })).value;
    const argument = fc.tuple(
      fc.constantFrom('id', 'in', 'ones', 'one', 'list', 'any', 'k', 'f', 's', 'b', 'first', 'upper'),
      value,
    );
    const args = fc
      .oneof(
        { weight: 3, arbitrary: fc.constant([]) },
        { weight: 2, arbitrary: fc.array(argument, { minLength: 1, maxLength: 2 }) },
      )
      .map((all) => (all.length === 0 ? '' : `(${all.map(([name, one]) => `${name}: ${one}`).join()})`));
    const directive = fc.constantFrom(
      '',
      '',
      '',
      '',
      '',
      '@skip(if: $b)',
      '@mark',
      '@mark(n: $a)',
      '@need(on: true)',
      '@nope',
    );
    const type = fc.constantFrom('Dog', 'Cat', 'Node', 'Named', 'Pet', 'Query', 'Stone', 'Thing');
    const { selections } = fc.letrec<{ selections: string; selection: string }>((tie) => ({
      selections: fc.array(tie('selection'), { minLength: 1, maxLength: 3 }).map((all) => `{ ${all.join(' ')} }`),
      selection: fc.oneof(
        { maxDepth: 4, depthIdentifier: 'selection' },
        fc.tuple(fc.constantFrom('', '', 'x: '), fc.constantFrom(...names), args, directive).map((all) => all.join('')),
        fc
          .tuple(fc.constantFrom('', '', 'x: '), fc.constantFrom(...names), args, directive, tie('selections'))
          .map((all) => all.join(' ')),
        fc.tuple(type, directive, tie('selections')).map(([on, one, inner]) => `... on ${on} ${one} ${inner}`),
        fc.constantFrom('...f', '...g'),
      ),
    }));
    const head = fc.constantFrom(
      '',
      'query ',
      'query ($a: Int! $b: Boolean!) ',
      'query ($a: Int, $i: Inner) ',
      'query ($b: Boolean = true) ',
      'mutation ',
      'subscription ',
    );
    const fragment = fc.tuple(type, selections);
    const document = fc
      .tuple(head, selections, fc.option(fragment), fc.option(fragment))
      .map(
        ([start, inner, f, g]) =>
          start +
          inner +
          (f === null ? '' : ` fragment f on ${f[0]} ${f[1]}`) +
          (g === null ? '' : ` fragment g on ${g[0]} ${g[1]}`),
      );
    fc.assert(fc.property(document, agree), { numRuns: RUNS * 2 });

    const whole = Object.values(cases).flatMap(({ good, bad }) => [...good, ...bad]);
    const pieces = whole.flatMap((one) => one.match(/"""[\s\S]*?"""|"[^"]*"|[\w$@]+|\.\.\.|[^\s\w]/g) ?? []);
    const mutated = fc
      .tuple(fc.constantFrom(...whole), fc.nat(), fc.nat(3), fc.constantFrom(...pieces))
      .map(([one, at, length, piece]) => {
        const tokens = one.match(/"""[\s\S]*?"""|"[^"]*"|[\w$@]+|\.\.\.|[^\s\w]/g) ?? [];
        tokens.splice(at % (tokens.length + 1), length, piece);
        return tokens.join(' ');
      });
    fc.assert(fc.property(mutated, agree), { numRuns: RUNS * 3 });
    const bytes = fc.tuple(fc.constantFrom(...whole), fc.nat(), fc.string({ maxLength: 3, unit: 'binary' }));
    fc.assert(
      fc.property(bytes, ([one, at, text]) =>
        agree(one.slice(0, at % one.length) + text + one.slice((at % one.length) + 1)),
      ),
      { numRuns: RUNS },
    );
  });
});

process.on('exit', () => process.env.RUNS && console.log(tally));
