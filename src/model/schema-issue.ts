/** What is wrong with a message, as validators tell it. */

/** What is wrong, and where. Never holds a value of the message. */
export interface SchemaIssue {
  readonly path: readonly (string | number)[];
  readonly message: string;
}
