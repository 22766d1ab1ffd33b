/** What is sent to Rule and what we take from its answers, checked and made uniform: null is absent, unknown members are gone. */

/** A field to write; `type` counts only where the account does not have the field yet (rule-api §9). */
export interface RuleField {
  /** `Group.Field`, with exactly one dot (rule-api §2). */
  key: string;
  /** A list only for `multiple`; an empty text clears. */
  value: string | string[];
  type: 'text' | 'date' | 'datetime' | 'multiple';
}

export interface RuleSubscriber {
  id: number;
  email?: string;
  /** Names of all tags; absent when the answer has none of them (rule-api §12 no. 2). */
  tags?: string[];
  /** Of any channel or kind of mail: somebody or something asked that this person be left alone. */
  suppressed: boolean;
  /** Neither suppressed nor opted out; whether somebody is blocked is not in the answer (rule-api §3). */
  mailable: boolean;
  /** As Rule writes it: ISO 8601 or `YYYY-MM-DD HH:MM:SS` without zone (rule-api §1). */
  createdAt?: string;
}

/** A field as Rule holds it. */
export interface RuleFieldReading {
  /** Absent where the answer does not tell it. */
  type?: string;
  value: string | string[] | null;
}
