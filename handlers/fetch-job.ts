/** Every minute: fetches the invoices that are there, mails them, and stops in time before its own deadline. */
import { each, withMemphis } from 'memphis-serverless/lambda';
import { type Invoice, mail } from './mailing.ts';

export const handler = withMemphis(
  each<Invoice>((invoice, { message }) => mail(invoice, { attempt: message.deliveryCount }), { concurrency: 10 }),
  { station: 'invoices', group: 'mailing', batchSize: 100, drain: true },
);
