/** An operator with one account, as decentralised authentication of NATS has them, made on the spot. */

import { encodeAccount, encodeOperator, encodeUser, fmtCreds } from '@nats-io/jwt';
import { createAccount, createOperator, createUser } from '@nats-io/nkeys';

/** How a user's credentials differ from good ones. */
export interface UserOptions {
  /** Seconds from now until they expire; negative: they have expired. */
  readonly expiresInSeconds?: number;
}

export interface OperatorSite {
  /** Lines for a server's configuration. */
  readonly config: string;
  /** The text of a `.creds` file of a new user. */
  credsOf(options?: UserOptions): Promise<string>;
}

const unlimited = { mem_storage: -1, disk_storage: -1, streams: -1, consumer: -1, max_ack_pending: -1 };
const roomy = { subs: -1, data: -1, payload: -1, imports: -1, exports: -1, wildcards: true, conn: -1, leaf: -1 };

/** @param withJetStream whether the account may have streams */
export async function makeOperator(withJetStream = true): Promise<OperatorSite> {
  const operator = createOperator();
  const system = createAccount();
  const account = createAccount();
  const operatorJwt = await encodeOperator('O', operator, { system_account: system.getPublicKey() });
  const signed = { signer: operator };
  const systemJwt = await encodeAccount('SYS', system, {}, signed);
  const limits = { ...roomy, ...(withJetStream ? unlimited : {}) };
  const accountJwt = await encodeAccount('A', account, { limits }, signed);
  return {
    config: [
      `operator: ${operatorJwt}`,
      `system_account: ${system.getPublicKey()}`,
      'resolver: MEMORY',
      `resolver_preload: { ${system.getPublicKey()}: ${systemJwt}, ${account.getPublicKey()}: ${accountJwt} }`,
    ].join('\n'),
    async credsOf({ expiresInSeconds } = {}) {
      const user = createUser();
      const exp = expiresInSeconds === undefined ? {} : { exp: Math.floor(Date.now() / 1_000) + expiresInSeconds };
      const jwt = await encodeUser('u', user, account, {}, exp);
      return new TextDecoder().decode(fmtCreds(jwt, user));
    },
  };
}
