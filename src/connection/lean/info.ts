/** INFO: what a server says of itself. */

import type { ServerInfo } from '../port.ts';
import { nonsense } from './parser.ts';

/** The fields that matter here; any of them may be missing, and a server that means harm may say anything in them. */
export interface Info {
  readonly server_name?: string;
  readonly version?: string;
  readonly max_payload?: number;
  readonly jetstream?: boolean;
  readonly api_lvl?: number;
  readonly nonce?: string;
  readonly tls_required?: boolean;
  readonly tls_available?: boolean;
  readonly ldm?: boolean;
  readonly connect_urls?: readonly string[];
  readonly connection_id?: string;
}

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

/** In our words. */
export function toServerInfo(info: Info): ServerInfo {
  return {
    serverName: String(info.server_name ?? ''),
    version: String(info.version ?? ''),
    maxPayload: Number(info.max_payload ?? 1_048_576),
    jetstream: info.jetstream === true,
    apiLevel: Number(info.api_lvl ?? 0),
    isMemphis: 'connection_id' in info,
  };
}
