/** What is sent to Rule and what we take from its answers, checked and made uniform: null is absent, unknown members are gone. */

export interface CallOptions {
  /** Cancels the call; it then throws the signal's reason. */
  signal?: AbortSignal | undefined;
}

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

/** A row to append to a historical group. */
export interface RuleRow {
  /** Name of the group, without a dot. */
  group: string;
  /** By the field's name within the group. */
  values: Record<string, string>;
}

/** Which row is looked for. */
export interface RuleRowQuery {
  group: string;
  /** The field's name within the group. */
  field: string;
  value: string;
}

/** An e-mail of its own to one person (rule-api §6). */
export interface RuleMail {
  /** Name of the transaction, as the publisher sees it in Rule. */
  name: string;
  subject: string;
  from: { name: string; email: string };
  to: { name?: string; email: string };
  html: string;
  text: string;
}
