export { subscriber } from './subscriber.js';
