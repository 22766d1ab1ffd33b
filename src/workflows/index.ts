export { audit } from './audit.js';
export { backfill, scheduledReconcile } from './backfill.js';
export { brake } from './brake.js';
export { subscriber } from './subscriber.js';
