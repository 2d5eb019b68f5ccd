/** Fetching without a consumer of one's own: one is kept for each station and its options. Loaded when something is fetched. */

import type { Message } from '../model/message.ts';
import type { Given } from '../model/option-spec.ts';
import { fetchOptions, readerOptions } from '../model/options/read.ts';
import { pickOptions, resolveOptions } from '../model/resolve-options.ts';
import { type BindingArgument, Consumer, withSource } from './consumer.ts';
import type { Session } from './session.ts';

const fetchMessagesOptions = {
  ...readerOptions,
  partition: fetchOptions.partition,
  partitionKey: fetchOptions.partitionKey,
} as const;

/** Options of `fetchMessages`: those of a consumer, and a partition or a key. */
export type FetchMessagesOptions = Given<typeof fetchMessagesOptions>;

export class Fetcher {
  readonly #session: Session;
  readonly #consumers = new Map<string, Consumer>();

  constructor(session: Session) {
    this.#session = session;
  }

  /** See `DataClient.fetchMessages`. */
  async fetch<T>(source: string | BindingArgument, options: FetchMessagesOptions | undefined): Promise<Message<T>[]> {
    const { station, ...rest } = withSource('fetchMessages', source, options);
    const given = resolveOptions('fetchMessages', fetchMessagesOptions, rest);
    const settings = pickOptions(readerOptions, given);
    const key = JSON.stringify([station, settings]);
    // a validator is no text
    let consumer = settings.schema === undefined ? this.#consumers.get(key) : undefined;
    if (consumer === undefined) {
      consumer = new Consumer(this.#session, source, settings);
      if (settings.schema === undefined) this.#consumers.set(key, consumer);
    }
    return await consumer.fetch<T>({ partition: given.partition, partitionKey: given.partitionKey });
  }
}
