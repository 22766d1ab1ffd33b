import { silentTags } from '../activities/write-person.js';
import { isOurTag } from '../mapping/index.js';
import type { RuleAutomation } from '../rule/index.js';

/** An automation and the tag or segment that it hangs on. */
export interface Hanging {
  automation: string;
  on: string;
}

/** The account's active automations, as far as our writes concern them. */
export interface Automations {
  /** False where the key may not list them. */
  listed: boolean;
  /** On tags of ours: started when something happens to a reader, by nothing else of ours. */
  onOurTags: Hanging[];
  /** On tags of ours that are always given silently: never started by us. */
  onSilentTags: Hanging[];
  /** Started when a reader enters the segment, whoever wrote what made them enter: no caller can silence them. */
  onSegments: Hanging[];
  /** On a tag whose name Rule does not tell. */
  onUnknownTags: Hanging[];
  /** On tags of others, or on nothing. */
  others: number;
}

/** @param automations `undefined` where they could not be listed */
export function judgeAutomations(automations: readonly RuleAutomation[] | undefined): Automations {
  const judged: Automations = {
    listed: automations !== undefined,
    onOurTags: [],
    onSilentTags: [],
    onSegments: [],
    onUnknownTags: [],
    others: 0,
  };
  for (const { name, trigger } of automations ?? []) {
    const hanging = (kind: string) => ({ automation: name, on: trigger?.name ?? `${kind} ${trigger?.id}` });
    if (trigger?.type === 'SEGMENT') judged.onSegments.push(hanging('segment'));
    else if (trigger && trigger.name === undefined) judged.onUnknownTags.push(hanging('tag'));
    else if (trigger?.name && silentTags.includes(trigger.name)) judged.onSilentTags.push(hanging('tag'));
    else if (trigger?.name && isOurTag(trigger.name)) judged.onOurTags.push(hanging('tag'));
    else judged.others += 1;
  }
  return judged;
}
