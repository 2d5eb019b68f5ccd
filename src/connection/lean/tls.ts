/** TLS over a socket. `node:tls` is loaded here, and only when TLS is used. */

import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { PeerCertificate, TLSSocket } from 'node:tls';
import { MemphisError } from '../../model/errors.ts';
import { isIp } from '../addresses.ts';
import type { TlsSettings } from '../port.ts';
import { MAX_LINE_BYTES } from './parser.ts';

/** A line in clear is INFO; TLS begins with another byte. */
const I = 73;
const LF = 10;

/**
 * Starts TLS; the ClientHello leaves at once.
 *
 * @param name what the server's certificate must bear
 * @param onVerified told when the certificate was found good
 * @throws MemphisError `INVALID_OPTION` for PEM texts that cannot be used; they are not shown
 */
export function startTls(
  socket: Duplex,
  { ca, cert, key }: TlsSettings,
  name: string,
  onVerified: () => void,
): TLSSocket {
  const { checkServerIdentity, connect, createSecureContext } = process.getBuiltinModule('node:tls');
  const { X509Certificate } = process.getBuiltinModule('node:crypto');
  for (const [option, text] of Object.entries({ ca, cert })) {
    if (text === undefined) continue;
    // an authority that cannot be read would be passed over in silence
    const blocks = text.match(/-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g) ?? [''];
    for (const block of blocks) check(option, () => new X509Certificate(block));
  }
  return connect({
    socket,
    secureContext: check('key', () => createSecureContext({ ca, cert, key })),
    servername: isIp(name) ? '' : name, // RFC 6066: no addresses
    checkServerIdentity: (_: string, certificate: PeerCertificate) => {
      const error = checkServerIdentity(name, certificate);
      if (error === undefined) onVerified();
      return error;
    },
  });
}

function check<T>(option: string, make: () => T): T {
  try {
    return make();
  } catch (cause) {
    // the library's words name the fault ("key values mismatch") and quote nothing
    const why = String((cause as { readonly reason?: unknown }).reason ?? 'it cannot be read');
    throw new MemphisError('INVALID_OPTION', `tls.${option} is no PEM text that can be used: ${why}.`, {
      option: 'tls',
    });
  }
}

/**
 * The encrypted side of a socket on which the server may say one line in clear first. A ClientHello need not wait for
 * that line: servers read it afterwards, and what they say first tells which kind they are.
 *
 * @param onLine given what stands in clear
 */
export function behindFirstLine(socket: Socket, onLine: (line: Buffer) => void): Duplex {
  const { Duplex } = process.getBuiltinModule('node:stream');
  const inner: Duplex = new Duplex({
    read() {},
    write: (chunk, _, done) => void socket.write(chunk, done),
    final: (done) => void socket.end(done),
  });
  let clear: Buffer = Buffer.alloc(0);
  const onClear = (chunk: Buffer): void => {
    clear = Buffer.concat([clear, chunk]);
    const end = clear[0] === I ? clear.indexOf(LF) + 1 : 0;
    if (clear[0] === I && end === 0 && clear.length < MAX_LINE_BYTES) return;
    socket.off('data', onClear).on('data', (more) => inner.push(more));
    if (end > 0) onLine(clear.subarray(0, end));
    if (clear.length > end) inner.push(clear.subarray(end));
  };
  socket.on('data', onClear);
  socket.on('end', () => inner.push(null));
  return inner;
}
