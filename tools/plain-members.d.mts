import type { BuildOptions, Plugin } from 'esbuild';

export declare function plainMembers(): Required<Pick<BuildOptions, 'mangleProps' | 'tsconfigRaw'>> & {
  readonly plugins: Plugin[];
};
