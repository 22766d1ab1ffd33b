/** Where a workflow can be seen in the Temporal UI. */
import { type PersonId, subscriberWorkflowId } from '../client.js';

/** What the link depends on: the connection, and `TEMPORAL_UI_URL` where the UI is at an address of its own. */
export interface UiPlace {
  env: NodeJS.ProcessEnv;
  /** `host:port` of the service. */
  address: string;
  namespace: string;
}

/** The page of a reader's workflow, or `undefined` where nobody knows the address of the UI. */
export function workflowUrl(place: UiPlace, person: PersonId): string | undefined {
  const ui = uiUrl(place);
  if (ui === undefined) return undefined;
  const path = ['namespaces', place.namespace, 'workflows', subscriberWorkflowId(person)].map(encodeURIComponent);
  return `${ui}/${path.join('/')}`;
}

function uiUrl({ env, address }: UiPlace): string | undefined {
  if (env.TEMPORAL_UI_URL) return env.TEMPORAL_UI_URL.replace(/\/+$/, '');
  const host = address.replace(/:\d+$/, '');
  if (/^(localhost|127\.[\d.]+|\[::1\])$/.test(host)) return 'http://127.0.0.1:8233';
  // `<namespace>.<account>.tmprl.cloud` and `<region>.<provider>.api.temporal.io` are Temporal Cloud's.
  return /\.(tmprl\.cloud|api\.temporal\.io)$/.test(host) ? 'https://cloud.temporal.io' : undefined;
}
