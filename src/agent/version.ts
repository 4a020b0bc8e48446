import manifest from '../../package.json' with { type: 'json' };

/** Version of the package that this agent was bundled from. */
export const VERSION: string = manifest.version;
