/** Fetching without a consumer of one's own: what each station and its options come to is kept. */

import type { Message } from '../model/message.ts';
import type { Given } from '../model/option-spec.ts';
import { fetchOptions, readerOptions } from '../model/options/read.ts';
import { resolveOptions } from '../model/resolve-options.ts';
import { type BindingArgument, Fetching, type FetchLimit, withSource } from './fetching.ts';
import type { Session } from './session.ts';

const fetchMessagesOptions = {
  ...readerOptions,
  partition: fetchOptions.partition,
  partitionKey: fetchOptions.partitionKey,
} as const;

/** Options of `fetchMessages`: those of a consumer, and a partition or a key. */
export interface FetchMessagesOptions
  extends Given<typeof readerOptions>,
    Pick<Given<typeof fetchOptions>, 'partition' | 'partitionKey'> {}

export class Fetcher {
  readonly #session: Session;
  readonly #known = new Map<string, Fetching>();

  constructor(session: Session) {
    this.#session = session;
  }

  /** See `DataClient.fetchMessages`. */
  async fetch<T>(
    source: string | BindingArgument,
    options: FetchMessagesOptions | undefined,
    limit?: FetchLimit,
  ): Promise<Message<T>[]> {
    const { station, ...rest } = withSource('fetchMessages', source, options);
    const { partition, partitionKey, ...given } = resolveOptions('fetchMessages', fetchMessagesOptions, rest);
    const key = JSON.stringify([station, given]);
    // a validator is no text
    const isKept = given.schema === undefined;
    let fetching = isKept ? this.#known.get(key) : undefined;
    if (fetching === undefined) {
      fetching = new Fetching('fetchMessages', this.#session, { ...given, station: station as string });
      if (isKept) this.#known.set(key, fetching);
    }
    const own = { batchSize: undefined, batchMaxWaitMs: undefined, partition, partitionKey };
    return await fetching.fetch<T>(own, limit);
  }
}
