/** Certificates for tests, made on the spot: an authority, and what it signs. */

import 'reflect-metadata'; // first: the library's container needs it
import { randomBytes, type webcrypto } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as x509 from '@peculiar/x509';

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const DAY_MS = 86_400_000;

/** A certificate and its key, as PEM text. */
export interface Certificate {
  readonly cert: string;
  readonly key: string;
}

/** What a certificate says. */
export interface Subject {
  readonly name: string;
  /** DNS names and addresses it is good for. */
  readonly dns?: readonly string[];
  readonly ips?: readonly string[];
  /** Since when it is no longer valid; left out: it is valid. */
  readonly expiredMs?: number;
}

export interface Authority {
  /** Its own certificate. */
  readonly ca: string;
  issue(subject: Subject): Promise<Certificate>;
}

const serialNumber = (): string => `01${randomBytes(8).toString('hex')}`;
const toPem = async (key: webcrypto.CryptoKey): Promise<string> =>
  x509.PemConverter.encode(await crypto.subtle.exportKey('pkcs8', key), 'PRIVATE KEY');

/** An authority that nobody has heard of. */
export async function makeAuthority(name = 'test authority'): Promise<Authority> {
  const keys = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const root = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: serialNumber(),
    name: `CN=${name}`,
    notBefore: new Date(Date.now() - 30 * DAY_MS),
    notAfter: new Date(Date.now() + DAY_MS),
    keys,
    signingAlgorithm: algorithm,
    extensions: [
      new x509.BasicConstraintsExtension(true, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
    ],
  });
  return {
    ca: root.toString('pem'),
    async issue({ name, dns = [], ips = [], expiredMs }) {
      const own = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
      const names: x509.JsonGeneralNames = [
        ...dns.map((value) => ({ type: 'dns' as const, value })),
        ...ips.map((value) => ({ type: 'ip' as const, value })),
      ];
      const certificate = await x509.X509CertificateGenerator.create({
        serialNumber: serialNumber(),
        subject: `CN=${name}`,
        issuer: root.subject,
        notBefore: new Date(Date.now() - 20 * DAY_MS),
        notAfter: new Date(Date.now() + (expiredMs === undefined ? DAY_MS : -expiredMs)),
        publicKey: own.publicKey,
        signingKey: keys.privateKey,
        signingAlgorithm: algorithm,
        extensions: [
          new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth, x509.ExtendedKeyUsage.clientAuth]),
          ...(names.length === 0 ? [] : [new x509.SubjectAlternativeNameExtension(names)]),
        ],
      });
      return { cert: certificate.toString('pem'), key: await toPem(own.privateKey) };
    },
  };
}

/** Texts as files in a folder of their own, which goes with the value. */
export interface Files<Name extends string> extends AsyncDisposable {
  readonly paths: Readonly<Record<Name, string>>;
}

export async function writeFiles<Name extends string>(texts: Readonly<Record<Name, string>>): Promise<Files<Name>> {
  const folder = await mkdtemp(join(tmpdir(), 'memphis-serverless-test-'));
  const entries = Object.entries<string>(texts).map(([name, text]) => ({ name, text, path: join(folder, name) }));
  await Promise.all(entries.map(({ path, text }) => writeFile(path, text, { mode: 0o600 })));
  return {
    paths: Object.fromEntries(entries.map(({ name, path }) => [name, path])) as Record<Name, string>,
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
}
