/** INFO: the line in which a server says what it is. */

import type { Info } from '../server-info.ts';
import { nonsense } from './parser.ts';

/** @throws MemphisError `PROTOCOL_ERROR` */
export function parseInfo(text: string): Info {
  try {
    const info: unknown = JSON.parse(text);
    if (typeof info === 'object' && info !== null) return info;
  } catch {
    // no JSON is nonsense too, and not quoted: it may be anything
  }
  throw nonsense('INFO');
}
