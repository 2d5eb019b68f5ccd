/** Both versions of Middy that are supported, under one type. */

import middy7 from '@middy/core';
import middy6 from 'middy6';
import type { MiddyRequest } from '../../src/middy/index.ts';

/** A middleware as Middy takes it. */
export interface Hooks {
  before?(request: MiddyRequest): unknown;
  after?(request: MiddyRequest): unknown;
  onError?(request: MiddyRequest): unknown;
}

/** A handler with its middlewares. */
export interface MiddyChain {
  (event: unknown, context: unknown): Promise<unknown>;
  use(middleware: Hooks): MiddyChain;
}

export type Middy = <Event, Context>(
  handler: (event: Event, context: Context, run: { readonly signal: AbortSignal }) => unknown,
  options?: object,
) => MiddyChain;

export const middies: readonly (readonly [version: string, middy: Middy])[] = [
  ['6', middy6 as unknown as Middy],
  ['7', middy7 as unknown as Middy],
];
