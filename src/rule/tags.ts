import { VendorError } from '../http/errors.js';
import type { RuleApi } from './api.js';
import { orMissing } from './missing.js';
import { tagsReply } from './schemas.js';
import type { CallOptions } from './types.js';

/** Calls about one subscriber's tags. */
export interface TagCalls {
  /** Adds tags without starting anything; segments are recalculated only where asked for (rule-api §4.3). */
  addTags(id: number, tags: string[], options: CallOptions & { recalculateSegments: boolean }): Promise<void>;
  /** Queues the removal of tags; Rule does it a little later and recalculates no segment (rule-api §4.3). No tags, no call. */
  removeTags(id: number, tags: string[], options?: CallOptions): Promise<void>;
  /**
   * Removes one tag before it returns, starts nothing and recalculates no segment (rule-api §4.3). A 404 counts as done, since the tag
   * may be gone already; that of an unknown subscriber cannot be told apart, so the caller has just read the subscriber. Rule counts
   * the 404 as an error of the account (rule-api §8): for tags that are likely held.
   */
  removeTag(id: number, tag: string, options?: CallOptions): Promise<void>;
  /**
   * Adds tags and starts the automations that hang on them: the one call of the whole program that does. Mode `reset` starts the
   * automation of each tag of the call, also of one that the person holds and that is under way (rule-api §7): for events, with tags
   * that the person lacks. Through v2, since every mode of v3 lifts a block (rule-api §4.3) and v2's is not known to (rule-api §12
   * no. 12). No tags, no call.
   *
   * Repeated, it starts them again. An error with `unknownOutcome`, and the reason of a signal that cancels the call, leave open whether
   * they started: read the tags before another try.
   */
  fire(id: number, tags: string[], options?: CallOptions): Promise<void>;
  /** Names of all tags that the subscriber has. */
  listTags(id: number, options?: CallOptions): Promise<string[]>;
}

export function createTagCalls(api: RuleApi): TagCalls {
  const query = { identified_by: 'id' };

  return {
    async addTags(id, tags, { recalculateSegments, signal }) {
      // No `automation`: any value of it starts automations and unblocks a blocked subscriber (rule-api §4.3).
      const json = { tags: tagNames(tags), ...(recalculateSegments ? {} : { sync_subscriber: false }) };
      await api.write({ method: 'PUT', path: '/v3/subscribers/{id}/tags', params: { id }, query, json, signal });
    },

    async removeTags(id, tags, { signal } = {}) {
      if (tags.length === 0) return;
      const json = { subscribers: [{ id }], tags: tagNames(tags) };
      await api.write({ method: 'DELETE', path: '/v3/subscribers/tags', json, signal });
    },

    async removeTag(id, tag, { signal } = {}) {
      tagNames([tag]);
      const path = '/v3/subscribers/{id}/tags/{tag}';
      await orMissing(api.write({ method: 'DELETE', path, params: { id, tag }, query, signal }));
    },

    async fire(id, tags, { signal } = {}) {
      if (tags.length === 0) return;
      const json = { tags: tagNames(tags), automation: 'reset' };
      await api.write({ method: 'POST', path: '/v2/subscribers/{id}/tags', params: { id }, query, json, signal });
    },

    listTags(id, { signal } = {}) {
      return api.read({ method: 'GET', path: '/v2/subscribers/{id}/tags', params: { id }, query, signal }, tagsReply);
    },
  };
}

/**
 * Each name once, since Rule may refuse doubles. @throws VendorError `rule/invalid` for a name of digits only, which Rule would read
 * as the id of some other tag (rule-api §2).
 */
export function tagNames(tags: readonly string[]): string[] {
  if (tags.some((tag) => /^\d*$/.test(tag))) {
    const reason = 'a tag name is empty or made of digits only';
    throw new VendorError({ type: 'rule/invalid', next: 'fix-data', reason, fields: { tags: 'digits-only' } });
  }
  return [...new Set(tags)];
}
