import type { FieldType, FieldValue } from './values.js';

/** A person in the account, as stored. Views for callers and answers are made in `views.ts`. */
export interface Subscriber {
  id: number;
  email: string | null;
  phoneNumber: string | null;
  customIdentifier: string | null;
  language: string;
  blocked: boolean;
  optedIn: boolean;
  createdAt: Date;
  updatedAt: Date;
  tags: Set<number>;
  segments: Set<number>;
  /** `campaign/email`, `campaign/text_message`, `transaction/email`, `transaction/text_message`. */
  suppressions: Set<string>;
  /** Rows by group id. A plain group has at most one row, a historical group one row for each write. */
  rows: Map<number, Row[]>;
  /** How far the person is in each automation that ever started. */
  progress: Map<number, Progress>;
}

export type Progress = 'in-progress' | 'completed';

export interface Row {
  id: number;
  createdAt: Date;
  /** Values by field id; a cleared field has no entry. */
  values: Map<number, FieldValue>;
}

export interface Tag {
  id: number;
  name: string;
  description: string;
  createdAt: Date;
  updatedAt: Date;
  members: Set<number>;
}

export interface Group {
  id: number;
  name: string;
  historical: boolean;
  createdAt: Date;
  updatedAt: Date;
  fields: Map<string, Field>;
}

export interface Field {
  id: number;
  name: string;
  type: FieldType;
}

export interface Automation {
  id: number;
  name: string;
  active: boolean;
  trigger: { type: TriggerType; id: number };
  mails: AutomationMail[];
  /** Names of tags: gaining or losing one ends the journey of a person in progress. */
  endsOn: { tagGained: string[]; tagLost: string[] };
  createdAt: Date;
}

/** A mail of an automation. */
export interface AutomationMail {
  subject: string;
  /** Days from the start of the automation; 0 goes out at once. */
  afterDays: number;
}

export type TriggerType = 'TAG' | 'SEGMENT';

export interface Segment {
  id: number;
  name: string;
  condition: Condition;
}

/** Who belongs to a segment. A field is `Group.Field`; of a historical group the newest row counts. */
export type Condition =
  | { tag: string }
  | { field: string; equals: string }
  | { field: string; filled: boolean }
  | { all: Condition[] }
  | { any: Condition[] }
  | { not: Condition };

/**
 * Why an automation started: a new person in a v2 upsert (`new`), a mode of rule-api §7, a tag that an existing person gained
 * under `automation: false` (only with that switch), or entry into a segment.
 */
export type StartMode = 'new' | 'send' | 'force' | 'reset' | 'gained' | 'segment';

/** One start of an automation for one person. */
export interface AutomationStart {
  /** ISO 8601. */
  at: string;
  subscriberId: number;
  automation: string;
  trigger: { type: TriggerType; name: string };
  /** The call that started it, such as `POST /v2/subscribers`, or `UI`. */
  call: string;
  mode: StartMode;
  /** `on-top`: a second full pass beside pending mails; `restart`: pending mails cancelled, fresh pass (rule-api §7). */
  pass: 'first' | 'again' | 'on-top' | 'restart';
  /** Why no mail goes out although the automation starts; null when mails go out. */
  withheld: 'blocked' | 'suppressed' | 'not-opted-in' | null;
}

/** One mail of one pass of an automation, for one person. */
export interface JourneyMail {
  id: number;
  subscriberId: number;
  automation: string;
  automationId: number;
  /** Place of the start that planned it in the list of all starts, from 0. */
  start: number;
  trigger: AutomationStart['trigger'];
  subject: string;
  /** ISO 8601, as the other times. */
  plannedAt: string;
  /** When it is to go out; when it went out once it is sent. */
  dueAt: string;
  state: 'planned' | 'sent' | 'cancelled' | 'withheld';
  /** Why it was cancelled (`gained sesamy_event_ended`, `restarted`) or withheld (`suppressed`). */
  why?: string;
  cancelledAt?: string;
}

/** A blocked person was unblocked as a side effect of a tag call (rule-api §4.3). */
export interface Unblock {
  at: string;
  subscriberId: number;
  call: string;
  mode: StartMode;
}

/** A transactional message taken for sending. */
export interface Transaction {
  id: number;
  at: string;
  type: 'email' | 'text_message';
  to: string;
  name: string | null;
  subject: string | null;
  body: unknown;
}
