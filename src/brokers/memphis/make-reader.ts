/** Readers of a Memphis broker, loaded when something is read. */

import type { Link } from '../../connection/link.ts';
import type { Reader, ReaderOptions } from '../../model/broker.ts';
import { JetStreamReader } from '../jetstream/reader.ts';
import type { Retries } from '../jetstream/retries.ts';
import { MemphisGroup } from './group.ts';
import type { Members } from './members.ts';
import type { MemphisSchemas } from './schemas.ts';
import type { MemphisStations } from './stations.ts';

/** What readers have of their broker. */
interface Parts {
  readonly link: Link;
  readonly stations: MemphisStations;
  readonly members: Members;
  readonly schemas: MemphisSchemas;
}

/** A stream of others on this broker is read as on any NATS server. */
export function makeReader(
  { link, stations, members, schemas }: Parts,
  retries: Retries,
  options: ReaderOptions,
): Reader {
  if (options.binding !== undefined) return new JetStreamReader(link, stations, retries, options);
  const group = new MemphisGroup(link, stations, retries, options, members, schemas);
  return new JetStreamReader(link, stations, retries, options, {
    group,
    // evaluated with the first dead letter: most functions never have one
    setAside: async (...given) => (await import('./dead-letters.ts')).setAside(group, ...given),
    schemas,
  });
}
