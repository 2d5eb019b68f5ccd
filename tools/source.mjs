/** Makes Node take the package's sources in place of what was built. */
export const SOURCE = '--conditions=@memphis-serverless/source';
