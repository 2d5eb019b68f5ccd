/** Promises about schemas, of drivers that know them. */

import assert from 'node:assert/strict';
import type { SchemaStore } from '../../model/schema-store.ts';
import { type ContractCase, onStation, refuses, type Scene } from './subject.ts';

const text = (type: string): string => JSON.stringify({ type });

/** A case about the schemas of a broker; nothing is promised where it knows none. */
function onSchemas(
  name: string,
  run: (scene: Scene, schemas: SchemaStore, schema: string) => Promise<void>,
  options?: Parameters<typeof onStation>[2],
): ContractCase {
  const onOne = async (scene: Scene): Promise<void> => {
    const { schemas } = scene.subject.admin;
    if (schemas !== undefined) await run(scene, schemas, `schema-${scene.station}`);
  };
  return onStation(name, onOne, options);
}

/** The source of the schema that a station has for whoever produces: changes may take a moment. */
async function untilHas(scene: Scene, source: string | undefined): Promise<void> {
  const { station, broker, subject } = scene;
  let found = (await broker.schemaOf?.(station, { isFresh: true }))?.source;
  for (let tries = 0; found !== source && tries < 60; tries++) {
    await subject.pass(250);
    found = (await broker.schemaOf?.(station, { isFresh: true }))?.source;
  }
  assert.equal(found, source);
}

export const keepingSchemas: readonly ContractCase[] = [
  onSchemas(
    'the first version of a schema is in use, later ones wait until they are chosen',
    async (_, schemas, name) => {
      const create = (source: string) => schemas.create({ name, type: 'json', source });
      const made = { name, type: 'json' };
      assert.deepEqual(await create(text('string')), { ...made, version: 1, created: true, isActive: true });
      assert.deepEqual(await create(text('string')), { ...made, version: 1, created: false, isActive: true });
      assert.deepEqual(await create(text('number')), { ...made, version: 2, created: true, isActive: false });
      const told = async () => {
        const { activeVersion, versions } = await schemas.describe(name);
        return [activeVersion, versions.map(({ version, isActive, source }) => [version, isActive, source])];
      };
      const texts = [text('string'), text('number')];
      assert.deepEqual(await told(), [1, texts.map((source, index) => [index + 1, index === 0, source])]);
      await schemas.activate(name, 2);
      assert.deepEqual(await told(), [2, texts.map((source, index) => [index + 1, index === 1, source])]);
      assert.ok((await schemas.list()).some((one) => one.name === name && one.activeVersion === 2));
      await refuses('SCHEMA_NOT_FOUND', schemas.activate(name, 3));
      await refuses('SCHEMA_CONFLICT', schemas.create({ name, type: 'avro', source: '"string"' }));
    },
  ),

  onSchemas('a station has the schema that is attached, until it is detached', async (scene, schemas, name) => {
    const { station } = scene;
    await untilHas(scene, undefined);
    await schemas.create({ name, type: 'json', source: text('string') });
    await schemas.attach(name, station);
    await untilHas(scene, text('string'));
    const told = await scene.broker.schemaOf?.(station);
    assert.deepEqual([told?.name, told?.type, told?.version], [name, 'json', 1]);
    await schemas.detach(station);
    await untilHas(scene, undefined);
  }),

  onSchemas('what is not there is attached to nothing', async ({ station }, schemas, name) => {
    await refuses('SCHEMA_NOT_FOUND', schemas.attach(name, station));
    await refuses('SCHEMA_NOT_FOUND', schemas.describe(name));
    await schemas.create({ name, type: 'json', source: text('string') });
    await refuses('STATION_NOT_FOUND', schemas.attach(name, `no-${station}`));
    await schemas.destroy(name);
    await refuses('SCHEMA_NOT_FOUND', schemas.describe(name));
  }),

  onSchemas('batches tell the schema of their station', async (scene, schemas, name) => {
    await schemas.create({ name, type: 'json', source: text('string') });
    await schemas.attach(name, scene.station);
    await untilHas(scene, text('string'));
    await scene.publish('"a"');
    const batch = await scene.pull(scene.reader(), { waitMs: 5_000 });
    assert.deepEqual([batch.schema?.name, batch.schema?.source], [name, text('string')]);
  }),
];
