/** The data side of the client: producing and fetching. What functions get; administration is in `client.ts`. */

import type { Message } from '../model/message.ts';
import { Fetcher, type FetchMessagesOptions } from './fetcher.ts';
import type { BindingArgument, FetchLimit } from './fetching.ts';
import { ProducingClient } from './producing.ts';

/** Produces and fetches; what administers is on the client that `connect` returns. */
export class DataClient extends ProducingClient {
  #fetcher: Fetcher | undefined;

  /** One batch without a consumer of one's own; see `Consumer.fetch`. */
  fetchMessages<T = unknown>(source: string | BindingArgument, options?: FetchMessagesOptions): Promise<Message<T>[]>;
  /** @internal @param limit of all of it, settling included */
  fetchMessages<T = unknown>(
    source: string | BindingArgument,
    options: FetchMessagesOptions | undefined,
    limit: FetchLimit,
  ): Promise<Message<T>[]>;
  async fetchMessages<T = unknown>(
    source: string | BindingArgument,
    options?: FetchMessagesOptions,
    limit?: FetchLimit,
  ): Promise<Message<T>[]> {
    this.#fetcher ??= new Fetcher(this.session);
    return await this.#fetcher.fetch<T>(source, options, limit);
  }
}
