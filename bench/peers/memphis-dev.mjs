/** Only imported: its client needs a broker of its own. */

export { memphis } from 'memphis-dev';
