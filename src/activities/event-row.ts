import { DateTime } from 'luxon';
import type { LifecycleEvent } from '../contract/index.js';
import type { MappingSettings } from '../mapping/index.js';

/** The historical group in Rule that holds a reader's events, one row each (rule-api §5). */
export const eventGroup = 'Sesamy_Event';

/** A row to be appended. Its `Id` is how it is found again. */
export interface EventRow {
  group: string;
  values: { Id: string } & Record<string, string>;
}

/** An event as a row; times are of the vendor's zone, as all dates are. */
export function eventRow(
  { id, type, at, product, contractId, stage }: LifecycleEvent,
  { timeZone }: Pick<MappingSettings, 'timeZone'>,
): EventRow {
  return {
    group: eventGroup,
    values: {
      Id: id,
      Type: type,
      At: DateTime.fromISO(at, { zone: timeZone }).toFormat('yyyy-MM-dd HH:mm:ss'),
      ...(product ? { Product: product } : {}),
      ...(contractId ? { Contract: contractId } : {}),
      Stage: stage,
    },
  };
}
