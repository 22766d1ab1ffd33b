export * from './ids.js';
export * from './messages.js';
export * from './search-attributes.js';
export * from './stage.js';
export * from './sync.js';
export * from './task-queues.js';
