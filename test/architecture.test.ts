/** Who may import whom (docs/architecture.md), as code: floors, forbidden packages, no loops - type imports counted. */

import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, relative } from 'node:path';
import { test } from 'node:test';

const root = join(import.meta.dirname, '..');
const files = globSync('src/**/*.ts', { cwd: root }).map((file) => file.replaceAll('\\', '/'));

interface Import {
  readonly to: string;
  readonly isLazy: boolean;
}

function importsOf(file: string): Import[] {
  const source = readFileSync(join(root, file), 'utf8');
  const found: Import[] = [];
  for (const match of source.matchAll(
    /(?:^|\n)\s*(?:import|export)\b[^'";]*?from\s*'([^']+)'|(?:^|\n)import\s*'([^']+)'/g,
  )) {
    found.push({ to: match[1] ?? match[2] ?? '', isLazy: false });
  }
  for (const match of source.matchAll(/\bimport\(\s*'([^']+)'\s*\)/g)) found.push({ to: match[1] ?? '', isLazy: true });
  return found.map(({ to, isLazy }) => ({
    to: to.startsWith('.') ? relative(root, normalize(join(root, dirname(file), to))).replaceAll('\\', '/') : to,
    isLazy,
  }));
}

const graph = new Map(files.map((file) => [file, importsOf(file)]));

/** For each folder (the longest match counts): what its files may import from `src/`. */
const floors: Readonly<Record<string, readonly string[]>> = {
  'src/model/': [],
  'src/telemetry/': ['src/model/'],
  'src/schemas/': ['src/model/'],
  'src/schemas/look-up.ts': ['src/model/', 'src/brokers/'],
  'src/schemas/set-aside.ts': ['src/model/', 'src/brokers/'],
  'src/envelope/': ['src/model/'],
  'src/connection/': ['src/model/', 'src/telemetry/'],
  'src/batch/': ['src/model/', 'src/telemetry/', 'src/envelope/'],
  'src/brokers/choose.ts': [
    'src/model/',
    'src/telemetry/',
    'src/connection/',
    'src/brokers/jetstream/broker.ts',
    'src/brokers/memphis/broker.ts',
  ],
  'src/brokers/readers.ts': [
    'src/model/',
    'src/brokers/jetstream/broker.ts',
    'src/brokers/jetstream/readers.ts',
    'src/brokers/memphis/broker.ts',
    'src/brokers/memphis/readers.ts',
  ],
  'src/brokers/publisher.ts': [
    'src/model/',
    'src/brokers/jetstream/broker.ts',
    'src/brokers/jetstream/publisher.ts',
    'src/brokers/memphis/broker.ts',
    'src/brokers/memphis/publisher.ts',
  ],
  'src/brokers/jetstream/': ['src/model/', 'src/telemetry/', 'src/connection/'],
  'src/brokers/memphis/': ['src/model/', 'src/telemetry/', 'src/connection/', 'src/brokers/jetstream/'],
  'src/client/connect.ts': ['src/model/', 'src/brokers/', 'src/client/', 'src/schemas/look-up.ts'],
  'src/client/': [
    'src/model/',
    'src/telemetry/',
    'src/connection/',
    'src/brokers/',
    'src/batch/',
    'src/schemas/registry.ts',
  ],
  'src/nats/': ['src/model/', 'src/connection/'],
  'src/index.ts': ['src/client/', 'src/model/'],
  'src/lambda/': [
    'src/model/',
    'src/telemetry/',
    'src/envelope/',
    'src/batch/',
    'src/brokers/readers.ts',
    'src/client/',
    'src/schemas/registry.ts',
    'src/schemas/standard-issues.ts',
  ],
  'src/code-cache/': ['src/model/'],
  'src/cli/': ['src/model/', 'src/client/', 'src/schemas/', 'src/code-cache/'],
  'src/poller/': [
    'src/model/',
    'src/telemetry/',
    'src/envelope/',
    'src/batch/',
    'src/brokers/readers.ts',
    'src/client/',
  ],
  'src/middy/': ['src/model/', 'src/envelope/', 'src/client/', 'src/lambda/'],
  'src/testing/': ['src/model/', 'src/envelope/', 'src/batch/', 'src/connection/cache.ts'],
};

function ruleOf(file: string): [string, readonly string[]] {
  const folder = Object.keys(floors)
    .filter((prefix) => file.startsWith(prefix))
    .sort((a, b) => b.length - a.length)[0];
  assert.ok(folder !== undefined, `${file} lies in no floor: give its folder one`);
  return [folder, floors[folder] ?? []];
}

test('every file imports floors below its own only', () => {
  const wrong = files.flatMap((file) => {
    const [folder, allowed] = ruleOf(file);
    return (graph.get(file) ?? [])
      .filter(
        ({ to }) => to.startsWith('src/') && !to.startsWith(folder) && !allowed.some((prefix) => to.startsWith(prefix)),
      )
      .map(({ to }) => `${file} -> ${to}`);
  });
  assert.deepEqual(wrong, []);
});

test('no file imports itself over others, type imports counted', () => {
  const state = new Map<string, 'open' | 'done'>();
  const loops: string[] = [];
  const visit = (file: string, path: readonly string[]): void => {
    if (state.get(file) === 'done') return;
    if (state.get(file) === 'open') {
      loops.push([...path.slice(path.indexOf(file)), file].join(' -> '));
      return;
    }
    state.set(file, 'open');
    for (const { to } of graph.get(file) ?? []) if (graph.has(to)) visit(to, [...path, file]);
    state.set(file, 'done');
  };
  for (const file of files) visit(file, []);
  assert.deepEqual(loops, []);
});

test('the model imports nothing, not even Node', () => {
  const outside = files
    .filter((file) => file.startsWith('src/model/'))
    .flatMap((file) =>
      (graph.get(file) ?? []).filter(({ to }) => !to.startsWith('src/model/')).map(({ to }) => `${file} -> ${to}`),
    );
  assert.deepEqual(outside, []);
});

test('packages are named only where they belong', () => {
  const homes: readonly (readonly [RegExp, string])[] = [
    [/^@nats-io\/|^nats$/, 'src/connection/official/'],
    [/^@aws-sdk\/|^@smithy\//, 'src/poller/'],
    [/^(ajv|ajv-draft-04|re2js|protobufjs|graphql|avsc)(\/|$)/, 'src/schemas/'],
  ];
  const wrong = files.flatMap((file) =>
    (graph.get(file) ?? [])
      .filter(({ to }) => !to.startsWith('src/') && !to.startsWith('node:'))
      .filter(({ to }) => !homes.some(([name, home]) => name.test(to) && file.startsWith(home)))
      .map(({ to }) => `${file} -> ${to}`),
  );
  assert.deepEqual(wrong, []);
});

test('JetStream is known to the drivers alone', () => {
  const knowing = files.filter(
    (file) =>
      !/^src\/brokers\/(jetstream|memphis)\//.test(file) &&
      /\$JS\.|Nats-Msg-Id|\+ACK|-NAK|\+TERM/.test(
        readFileSync(join(root, file), 'utf8').replace(/^\s*(\/?\*|\/\/).*$/gm, ''),
      ),
  );
  assert.deepEqual(knowing, []);
});

/** What functions have in their bundles. */
function reachedByFunctions(): ReadonlySet<string> {
  const reached = new Set<string>();
  const walk = (file: string): void => {
    if (reached.has(file)) return;
    reached.add(file);
    for (const { to } of graph.get(file) ?? []) if (graph.has(to)) walk(to);
  };
  for (const entry of ['src/lambda/index.ts', 'src/middy/index.ts']) {
    assert.ok(graph.has(entry));
    walk(entry);
  }
  return reached;
}

test('functions reach no administration and no poller', () => {
  assert.deepEqual(
    [...reachedByFunctions()].filter((file) =>
      /admin\.ts$|client\/(client|station|connect)\.ts$|^src\/poller\//.test(file),
    ),
    [],
  );
});

test('functions import nothing of this package late: one such import makes bundlers wrap every module behind it', () => {
  const late = [...reachedByFunctions()].flatMap((file) =>
    (graph.get(file) ?? []).filter(({ to, isLazy }) => isLazy && graph.has(to)).map(({ to }) => `${file} -> ${to}`),
  );
  assert.deepEqual(late, []);
});

test('what functions reach holds function declarations at its top: V8 takes longer for arrow functions in constants', () => {
  const arrow = /^(?:export )?const (\w+)[^=\n]*= (?:async )?(?:<[^\n]*>)?\([^\n]*\)(?:: [^\n]*)? =>/gm;
  const found = [...reachedByFunctions()].flatMap((file) =>
    [...readFileSync(join(root, file), 'utf8').matchAll(arrow)].map(([, name]) => `${file}: ${name}`),
  );
  assert.deepEqual(found, []);
});
