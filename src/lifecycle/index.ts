/** From what Sesamy shows of a reader, before and now, to stage and events: pure, no I/O, no clock. */
export { standingRequests } from './cancel-requests.js';
export { type EventRow, eventTable, takenAwayBy } from './event-table.js';
export { type LifecycleInput, type LifecycleResult, type Payment, reduceLifecycle } from './reduce.js';
export { defaultLifecycleSettings, type LifecycleSettings } from './settings.js';
