/** The text of a GraphQL schema -> its document as plain data. */

import { assertValidSchema, buildASTSchema, parse } from 'graphql';

/** @throws Error what is no schema of a service */
export function documentOf(source: string): unknown {
  const document = parse(source, { noLocation: true });
  assertValidSchema(buildASTSchema(document));
  return document;
}
