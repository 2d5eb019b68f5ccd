/** Recorded conversations of real brokers: the bytes as they came, and what they say. */

import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '../fixtures/conversations');

/** One operation of a server. */
export interface Operation {
  readonly op: string;
  readonly subject?: string;
  readonly sid?: string;
  readonly reply?: string;
  readonly rawHeaders?: string;
  readonly status?: number;
  readonly payload?: string | { readonly base64: string };
}

export interface Conversation {
  readonly name: string;
  readonly operations: readonly Operation[];
  readonly bytes: Buffer;
}

function toBytes({ op, subject, sid, reply, rawHeaders, payload = '' }: Operation): Buffer {
  const body = typeof payload === 'string' ? Buffer.from(payload) : Buffer.from(payload.base64, 'base64');
  if (subject === undefined) return Buffer.from(`${op}${payload === '' ? '' : ` ${payload}`}\r\n`);
  const headers = Buffer.from(rawHeaders ?? '', 'base64');
  // brokers of Memphis write two blanks where there is no reply
  const sizes = `${rawHeaders === undefined ? '' : `${headers.length} `}${headers.length + body.length}`;
  return Buffer.concat([
    Buffer.from(`${op} ${subject} ${sid} ${reply ?? ''} ${sizes}\r\n`),
    headers,
    body,
    Buffer.from('\r\n'),
  ]);
}

export const conversations: readonly Conversation[] = globSync('*.ndjson', { cwd: root })
  .sort()
  .map((file) => {
    const lines = readFileSync(join(root, file), 'utf8').trim().split('\n');
    const operations = lines.map((line) => JSON.parse(line) as Operation);
    return { name: file.replace('.ndjson', ''), operations, bytes: Buffer.concat(operations.map(toBytes)) };
  });
