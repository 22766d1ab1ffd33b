/** Who would be written, skipped, and under which tags, counted over everybody: pure. No address is kept, only what stands for one. */
import { createHmac, randomBytes } from 'node:crypto';
import { readPerson } from '../activities/read-person.js';
import type { Vendor } from '../activities/vendor.js';
import { userIdPattern } from '../client.js';
import { baseTag, isOurTag, stageTag, tagsToRemove } from '../mapping/index.js';
import type { RuleSubscriber } from '../rule/index.js';
import type { ListedUser, SesamyContract, SesamyEntitlement } from '../sesamy/index.js';

/** Heads by what would become of them; together they are all whom Sesamy lists. */
export interface Heads {
  /** Written to Rule for the first time. */
  create: number;
  /** In Rule already, under the same address. */
  update: number;
  /** Guests: the address is not verified. */
  guest: number;
  noEmail: number;
  /** Another Sesamy user has the same address and owns it: with a running subscription before without, then the newest. */
  sharedAddress: number;
  /** The id could be an address or a telephone number, so it is not taken as an id. */
  unusableId: number;
  /** Rows of Sesamy's list of another form than documented. */
  unreadable: number;
}

export interface TagCount {
  tag: string;
  readers: number;
  /** Accesses that would bring the tag to somebody of whom the lists do not say who it is. */
  unattributed?: number;
}

export interface HeadCount {
  /** Users whom Sesamy lists. */
  listed: number;
  heads: Heads;
  /** Subscribers of the Rule account, whoever made them. */
  inRule: number;
  /** Of `heads.update`, those to whom Rule sends nothing, because they are suppressed or have opted out; they stay so. */
  notMailable: number;
  /** Users whose row in the list is not the whole profile: whether they are guests, and their own tags, show at their sync only. */
  withoutProfile: number;
  tags: {
    /** What the list is made from; `contracts` where Sesamy does not list everybody's accesses. */
    from: 'contracts and accesses' | 'contracts';
    /** Accesses with no owner in the lists: gifts, external access. */
    unattributed: number;
    /** By name. */
    list: TagCount[];
    /**
     * Tags of ours in Rule in an older spelling: the first write takes them away. By name. Others that no longer apply leave too, but which
     * these are the lists cannot tell.
     */
    olderSpelling: TagCount[];
  };
  /** What would be left out, by field or tag and code. */
  problems: { field: string; code: string; readers: number }[];
}

/** What is kept of somebody who would be written until everybody is known. */
interface Candidate {
  userId: string;
  createdAt: number;
  tags: readonly string[];
}

interface Held {
  tags: readonly string[];
  mailable: boolean;
}

const nobody: readonly string[] = [];

/** What slugs are made of (sesamy-api §5); before, names had capitals and blanks. */
const presentSpelling = /^[a-z0-9_-]+$/;

/**
 * Counts everybody in one pass: first Rule's subscribers, then all contracts, then all entitlements, then the users, in pages of any size.
 * What is kept for each is small: equal texts and equal sets of tags are kept once, addresses as keyed hashes whose key is forgotten.
 */
export class HeadCounter {
  readonly #key = randomBytes(32);
  readonly #texts = new Map<string, string>();
  readonly #sets = new Map<string, readonly string[]>();
  readonly #inRule = new Map<string, Held>();
  readonly #holdings = new Map<string, { contracts: SesamyContract[]; entitlements: SesamyEntitlement[] }>();
  readonly #ownerOf = new Map<string, string>();
  readonly #owners = new Map<string, Candidate>();
  readonly #unattributed = new Map<string, number>();
  readonly #problems = new Map<string, number>();
  readonly #heads: Heads = {
    create: 0,
    update: 0,
    guest: 0,
    noEmail: 0,
    sharedAddress: 0,
    unusableId: 0,
    unreadable: 0,
  };
  #subscribers = 0;
  #listed = 0;
  #contracts = 0;
  #accesses = 0;
  #withoutOwner = 0;
  #withoutProfile = 0;

  constructor(
    private readonly vendor: Pick<Vendor, 'mapping' | 'lifecycle'>,
    private readonly now: Date,
  ) {}

  addSubscriber({ email, tags = [], mailable }: RuleSubscriber): void {
    this.#subscribers += 1;
    if (email) this.#inRule.set(this.#hash(email), { tags: this.#set(tags.filter(isOurTag)), mailable });
  }

  addContract(contract: SesamyContract): void {
    const items = contract.items.map((item) => ({ ...item, sku: this.#text(item.sku), name: this.#text(item.name) }));
    this.#contracts += 1;
    this.#ownerOf.set(contract.id, contract.userId);
    this.#of(contract.userId).contracts.push({ ...contract, status: this.#text(contract.status), items });
  }

  /** An entitlement names no owner, but the contract that it comes from does (sesamy-api §3.5). */
  addEntitlement({ id, type, hasAccess, sku, title, purchaseOptionId, origin }: SesamyEntitlement): void {
    this.#accesses += 1;
    // Of those without access only a paid article means anything, and that for ever.
    if (!hasAccess && type !== 'article') return;
    const access: SesamyEntitlement = {
      id,
      type: this.#text(type),
      sku: this.#text(sku),
      title: this.#text(title),
      hasAccess,
      ...(purchaseOptionId ? { purchaseOptionId: this.#text(purchaseOptionId) } : {}),
      ...(origin ? { origin } : {}),
    };
    const owner = origin?.type === 'PAYMENTS' ? this.#ownerOf.get(origin.contractId) : undefined;
    if (owner !== undefined) this.#of(owner).entitlements.push(access);
    else if (hasAccess) this.#addUnattributed(access);
  }

  addUser(user: ListedUser): void {
    this.#listed += 1;
    const holding = this.#holdings.get(user.id) ?? { contracts: [], entitlements: [] };
    this.#holdings.delete(user.id);
    if (!userIdPattern.test(user.id)) {
      this.#heads.unusableId += 1;
      return;
    }
    if (!user.whole) this.#withoutProfile += 1;
    const { whole: _whole, ...profile } = user;
    const entitlements = this.#lacksAccesses ? holding.contracts.flatMap(accessesOf) : holding.entitlements;
    const source = { user: profile, contracts: holding.contracts, entitlements, cancelRequestedAt: {} };
    const { mapped, tags } = readPerson(this.vendor, source, this.now);
    if (!mapped.standing.confirmed) {
      this.#heads[mapped.standing.reason === 'no-email' ? 'noEmail' : 'guest'] += 1;
      return;
    }
    for (const { field, code } of mapped.problems) increase(this.#problems, `${field}\n${code}`);
    const createdAt = Date.parse(user.createdAt ?? '') || 0;
    this.#claim(this.#hash(mapped.email ?? ''), { userId: user.id, createdAt, tags: this.#set(tags) });
  }

  /** Users that Sesamy lists in a form that cannot be read. */
  addUnreadable(users: number): void {
    this.#listed += users;
    this.#heads.unreadable += users;
  }

  result(): HeadCount {
    const readers = new Map<string, number>();
    const older = new Map<string, number>();
    const heads = { ...this.#heads };
    let notMailable = 0;
    for (const [address, { tags }] of this.#owners) {
      const held = this.#inRule.get(address);
      heads[held ? 'update' : 'create'] += 1;
      if (held && !held.mailable) notMailable += 1;
      for (const tag of tags) increase(readers, tag);
      for (const tag of tagsToRemove(held?.tags ?? nobody, tags)) if (!presentSpelling.test(tag)) increase(older, tag);
    }
    const names = [...new Set([...readers.keys(), ...this.#unattributed.keys()])].sort();
    return {
      listed: this.#listed,
      heads,
      inRule: this.#subscribers,
      notMailable,
      withoutProfile: this.#withoutProfile,
      tags: {
        from: this.#lacksAccesses ? 'contracts' : 'contracts and accesses',
        unattributed: this.#withoutOwner,
        list: names.map((tag) => {
          const unattributed = this.#unattributed.get(tag);
          return { tag, readers: readers.get(tag) ?? 0, ...(unattributed ? { unattributed } : {}) };
        }),
        olderSpelling: [...older.keys()].sort().map((tag) => ({ tag, readers: older.get(tag) ?? 0 })),
      },
      problems: [...this.#problems].sort().map(([place, count]) => {
        const [field = '', code = ''] = place.split('\n');
        return { field, code, readers: count };
      }),
    };
  }

  /** Sesamy refuses the list without a filter, or answers it with nothing. */
  get #lacksAccesses(): boolean {
    return this.#accesses === 0 && this.#contracts > 0;
  }

  /** One address is one subscriber in Rule: the user with a running subscription owns it, else the newest. */
  #claim(address: string, candidate: Candidate): void {
    const other = this.#owners.get(address);
    if (other) this.#heads.sharedAddress += 1;
    if (!other || precedes(candidate, other)) this.#owners.set(address, candidate);
  }

  #addUnattributed(access: SesamyEntitlement): void {
    this.#withoutOwner += 1;
    const source = { user: { id: 'nobody', tags: [] }, contracts: [], entitlements: [access], cancelRequestedAt: {} };
    const { tags, stage } = readPerson(this.vendor, source, this.now);
    const own = [baseTag, stageTag(stage.stage)];
    for (const tag of tags) if (!own.includes(tag)) increase(this.#unattributed, tag);
  }

  #of(userId: string): { contracts: SesamyContract[]; entitlements: SesamyEntitlement[] } {
    const holding = this.#holdings.get(userId) ?? { contracts: [], entitlements: [] };
    this.#holdings.set(userId, holding);
    return holding;
  }

  #hash(email: string): string {
    return createHmac('sha256', this.#key).update(email.trim().toLowerCase()).digest('base64url').slice(0, 20);
  }

  #text(text: string): string {
    const known = this.#texts.get(text);
    if (known === undefined) this.#texts.set(text, text);
    return known ?? text;
  }

  #set(tags: readonly string[]): readonly string[] {
    const key = tags.join('\n');
    const known = this.#sets.get(key);
    if (known === undefined) this.#sets.set(key, tags);
    return known ?? tags;
  }
}

function precedes(a: Candidate, b: Candidate): boolean {
  const running = ({ tags }: Candidate) => Number(tags.includes('sesamy_active_subscriber'));
  return (running(a) - running(b) || a.createdAt - b.createdAt || (a.userId < b.userId ? 1 : -1)) > 0;
}

/** What a running contract most likely gives access to, where its accesses cannot be listed; a single purchase may be an article. */
function accessesOf({ id, isActive, duration, status, items }: SesamyContract): SesamyEntitlement[] {
  if (!isActive || duration === 'PERPETUAL' || status === 'CLOSED') return [];
  return items.map(({ sku, name, purchaseOptionId }, index) => ({
    id: `${id}/${index}`,
    sku,
    title: name,
    type: 'pass',
    hasAccess: true,
    origin: { type: 'PAYMENTS', contractId: id },
    ...(purchaseOptionId ? { purchaseOptionId } : {}),
  }));
}

function increase(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}
