/** What a server says of itself, as it says it and in our words. */

import type { ServerInfo } from './port.ts';

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
