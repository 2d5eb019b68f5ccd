/** TLS options for the official client, checked before they are used. Loads `node:tls`, so only a dial that needs it may. */

import type { TlsOptions } from '@nats-io/transport-node';
import { MemphisError } from '../../model/errors.ts';
import type { TlsSettings } from '../port.ts';

/** Options of one dial, and what became of the handshake. */
export interface PreparedTls {
  readonly options: TlsOptions;
  /** Whether the server's certificate was found good: a hang-up after that is the server's refusal of ours. */
  isVerified(): boolean;
}

const isAddress = (host: string): boolean => host.includes(':') || /^[\d.]+$/.test(host);

/**
 * Makes TLS options.
 *
 * @param name what the server's certificate must bear
 * @param over ends a socket that TLS opens by itself
 * @throws MemphisError `INVALID_OPTION` for PEM texts that cannot be used; they are not shown
 */
export async function prepareTls(settings: TlsSettings, name: string, over: AbortSignal): Promise<PreparedTls> {
  const [{ checkServerIdentity, createSecureContext }, { X509Certificate }] = await Promise.all([
    import('node:tls'),
    import('node:crypto'),
  ]);
  const { ca, cert, key, handshakeFirst } = settings;
  for (const [option, text] of Object.entries({ ca, cert })) {
    // an authority that cannot be read would be passed over in silence
    for (const block of text === undefined ? [] : toBlocks(text)) check(option, () => new X509Certificate(block));
  }
  const secureContext = check('key', () =>
    createSecureContext({
      ...(ca === undefined ? {} : { ca }),
      ...(cert === undefined ? {} : { cert }),
      ...(key === undefined ? {} : { key }),
    }),
  );
  let verified = false;
  const options = {
    ...(handshakeFirst === true ? { handshakeFirst, signal: over } : {}),
    // the client hands what it does not know on to `tls.connect`
    secureContext,
    servername: isAddress(name) ? '' : name, // RFC 6066: no addresses
    checkServerIdentity: (_: string, certificate: Parameters<typeof checkServerIdentity>[1]) => {
      const error = checkServerIdentity(name, certificate);
      verified = error === undefined;
      return error;
    },
  };
  return { options: options as TlsOptions, isVerified: () => verified };
}

/** The certificates of a PEM text, one by one. */
function toBlocks(text: string): string[] {
  const blocks = text.match(/-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g);
  return blocks === null ? [''] : [...blocks];
}

function check<T>(option: string, make: () => T): T {
  try {
    return make();
  } catch (cause) {
    // the library's words name the fault ("key values mismatch") and quote nothing
    const { reason } = cause as { readonly reason?: unknown };
    const why = typeof reason === 'string' ? reason : 'it cannot be read';
    throw new MemphisError('INVALID_OPTION', `tls.${option} is no PEM text that can be used: ${why}.`, {
      option: 'tls',
    });
  }
}
