export { audit } from './audit.js';
export { brake } from './brake.js';
export { subscriber } from './subscriber.js';
