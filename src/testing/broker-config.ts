/** The configuration text of a nats-server for tests. Pure. */

/** What ends up in the configuration. */
export interface BrokerConfig {
  readonly port: number;
  /** Tells this server from any other that happens to answer on the port. */
  readonly serverName: string;
  /** Absent: no JetStream. */
  readonly storeDir?: string | undefined;
  readonly maxStoreBytes?: number | undefined;
  readonly maxMemoryBytes?: number | undefined;
  readonly maxPayloadBytes?: number | undefined;
  readonly token?: string | undefined;
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  /** Added as it is. */
  readonly extra?: string | undefined;
}

/** Text for `nats-server -c`. Credentials stand here and not among the arguments, which everybody can read. */
export function toConfigText(config: BrokerConfig): string {
  const { port, serverName, storeDir, maxPayloadBytes, token, username, password, extra } = config;
  const authorization =
    token !== undefined
      ? `{ token: ${quoted(token)} }`
      : username !== undefined && `{ user: ${quoted(username)}, password: ${quoted(password ?? '')} }`;
  return [
    `listen: ${quoted(`127.0.0.1:${port}`)}`,
    `server_name: ${quoted(serverName)}`,
    storeDir !== undefined && `jetstream { ${jetstream(storeDir, config)} }`,
    maxPayloadBytes !== undefined && `max_payload: ${maxPayloadBytes}`,
    authorization && `authorization ${authorization}`,
    extra,
    '',
  ]
    .filter((line) => typeof line === 'string')
    .join('\n');
}

function jetstream(storeDir: string, { maxStoreBytes, maxMemoryBytes }: BrokerConfig): string {
  const lines = [`store_dir: ${quoted(storeDir)}`];
  if (maxStoreBytes !== undefined) lines.push(`max_file_store: ${maxStoreBytes}`);
  if (maxMemoryBytes !== undefined) lines.push(`max_memory_store: ${maxMemoryBytes}`);
  return lines.join(', ');
}

/** The configuration language reads quoted texts as JSON does. */
const quoted = (text: string): string => JSON.stringify(text);
