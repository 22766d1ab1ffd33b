/** Stand-ins of both vendors: HTTP servers that check what they are sent, remember it, and misbehave on request. */
export * from './rule/index.js';
export * from './sesamy/index.js';
