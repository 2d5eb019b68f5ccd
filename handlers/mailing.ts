/** Stands in for a mail provider: addresses of reserved domains decide how it ends. */
import { DeadLetter } from 'memphis-serverless/lambda';
import { record } from './journal.ts';

export interface Invoice {
  readonly id: string;
  readonly to: string;
}

/** Mails an invoice. @throws DeadLetter when nobody can ever get it; Error when the mail server is out of reach */
export async function mail(invoice: Invoice, options: { readonly attempt: number }): Promise<void> {
  const { attempt } = options;
  const failed = (how: string): void => record({ work: 'mail', id: invoice.id, attempt, how });

  if (invoice.to.endsWith('@nowhere.invalid')) {
    failed('no such address');
    throw new DeadLetter({ reason: 'there is no such mail address' });
  }
  if (invoice.to.endsWith('@slow.example') && attempt === 1) {
    failed('out of reach');
    throw new Error('the mail server is out of reach');
  }
  record({ work: 'mail', id: invoice.id, attempt, how: 'done' });
}
