import type { RuleApi } from './api.js';
import { orMissing } from './missing.js';
import { rowsReply } from './schemas.js';
import type { CallOptions, RuleRow, RuleRowQuery } from './types.js';

/** Calls about the rows of one subscriber's historical groups (rule-api §5). */
export interface RowCalls {
  /**
   * Whether the subscriber has a row whose field holds this value. `false` on 404, which is Rule's answer to a miss and counts as an
   * error of the account (rule-api §4.2, §8): for later attempts only, when an earlier one may have written the row. The 404 of an
   * unknown subscriber cannot be told apart; `appendRow` then tells it.
   */
  findRow(id: number, where: RuleRowQuery, options?: CallOptions): Promise<boolean>;
  /**
   * Appends a row of texts to a historical group, which is made where the account does not have it. Starts nothing, and Rule drops no
   * doubles: after an error with `unknownOutcome`, look for the row before another try (rule-api §5).
   */
  appendRow(id: number, row: RuleRow, options?: CallOptions): Promise<void>;
}

export function createRowCalls(api: RuleApi): RowCalls {
  return {
    async findRow(id, { group, field, value }, { signal } = {}) {
      const path = '/v3/custom-field-data/{id}/search';
      const query = { group, field, value };
      const rows = await orMissing(api.read({ method: 'GET', path, params: { id }, query, signal }, rowsReply));
      // A filter that Rule ignores would find any row. One that does not tell its values is taken at its word.
      return (rows ?? []).some(({ values }) => values === undefined || values.includes(value));
    },

    async appendRow(id, { group, values }, { signal } = {}) {
      // Both flags at both levels: what leaving them out means is not settled (rule-api §4.2).
      const fields = Object.entries(values).map(([field, value]) => ({ field, create_if_not_exists: true, value }));
      const json = { groups: [{ group, create_if_not_exists: true, historical: true, values: fields }] };
      await api.write({ method: 'POST', path: '/v3/custom-field-data/{id}', params: { id }, json, signal });
    },
  };
}
