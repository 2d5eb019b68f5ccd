/** What each npm script does, as a list of steps. A step returns an exit code, or throws with one clear sentence. */

import { runTests } from './run-tests.mjs';
import { SOURCE } from './source.mjs';

const lint = { name: 'style (biome check)', run: (job) => job.tool('biome', ['check', ...job.args]) };
const types = { name: 'types (tsc)', run: (job) => job.tool('tsc', ['-p', '.']) };
const build = { name: 'build (ESM and CommonJS into dist)', run: buildPackage };
const broker = { name: 'nats-server', run: (job) => findBroker(job, []) };
const brokers = { name: 'nats-server, the old and the new', run: (job) => findBroker(job, ['--newest']) };
const suite = { name: 'test suite of JSON Schema', run: (job) => job.node(['tools/schema-suite.mjs']) };
const bundle = { name: 'package (serverless package)', run: (job) => job.tool('serverless', ['package', ...job.args]) };
const demo = { name: 'demo', run: (job) => job.node([SOURCE, 'demo/main.ts', ...job.args]) };
const bench = { name: 'benchmarks', run: (job) => job.node([SOURCE, 'bench/main.ts', ...job.args]) };
const soak = { name: 'soak', run: (job) => job.node([SOURCE, 'bench/soak/main.ts', ...job.args]) };
const tests = (which) => ({ name: `${which === 'all' ? '' : `${which} `}tests`, run: (job) => runTests(job, which) });
/** The step without the arguments that are meant for the command's last one. */
const plain = (step) => ({ ...step, run: (job) => step.run({ ...job, args: [] }) });

/** Every command: what it says about itself, and its steps. */
export const commands = {
  demo: { says: 'runs the main job on this machine, with a real broker', steps: [broker, demo] },
  test: {
    says: 'checks style and types, builds, and runs all tests',
    steps: [plain(lint), types, build, brokers, suite, tests('all')],
  },
  'test:unit': {
    says: 'builds, and runs all tests but those of whole systems',
    steps: [build, brokers, suite, tests('unit')],
  },
  'test:integration': {
    says: 'builds, and runs the tests of whole systems',
    steps: [build, brokers, tests('integration')],
  },
  'test:types': { says: 'checks types, those in test/types too', steps: [types] },
  lint: { says: 'checks style', steps: [lint] },
  'lint:fix': {
    says: 'puts style right where that is safe',
    steps: [
      { name: 'style (biome check --write)', run: (job) => job.tool('biome', ['check', '--write', ...job.args]) },
    ],
  },
  bench: { says: 'measures the toolkit beside a bare socket and other clients', steps: [plain(build), broker, bench] },
  soak: { says: 'freezes, cuts off and kills at load, and checks that nothing is lost', steps: [broker, soak] },
  build: { says: 'makes dist', steps: [build] },
  package: { says: 'bundles the functions of serverless.yml for AWS, without an AWS account', steps: [bundle] },
};

/** Loaded on use: it needs the packages. */
async function buildPackage(job) {
  const { makeDist } = await import('./build-package.mjs');
  return makeDist(job);
}

/** A process of its own, so that what it starts ends with it. Later steps find its answer in the environment. */
async function findBroker(job, flags) {
  const { code, output } = await job.capture(['tools/find-broker.mjs', ...flags]);
  if (code === 0) job.env.NATS_SERVER_BIN = output.trim();
  return code;
}
