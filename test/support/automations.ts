import type { RuleSandbox } from '../../sandbox/rule/index.js';
import { stages } from '../../src/contract/index.js';
import { stageTag } from '../../src/mapping/index.js';

/** Tags of ours on which a marketer may hang a flow, and which every reader has or gains sooner or later. */
export const stateTags: readonly string[] = ['sesamy', 'sesamy_active_subscriber', ...stages.map(stageTag)];

/** An active automation on each of {@link stateTags}: only then does it mean something that none has started. */
export function addStateAutomations(rule: RuleSandbox): void {
  for (const name of stateTags) rule.addAutomation({ name: `On ${name}`, trigger: { type: 'TAG', name } });
}

/** What started automations for a reader, by the names of the tags and segments, oldest first. */
export function startsOf(rule: RuleSandbox, userId: string): string[] {
  const ids = rule
    .subscribers()
    .filter(({ fields }) => fields['Sesamy_User.ID']?.value === userId)
    .map(({ id }) => id);
  return rule
    .automationsStarted()
    .filter(({ subscriberId }) => ids.includes(subscriberId))
    .map(({ trigger }) => trigger.name);
}
