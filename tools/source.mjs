/** Makes Node take the package's sources in place of what was built. */
export const sourceCondition = '@memphis-serverless/source';
export const SOURCE = `--conditions=${sourceCondition}`;
