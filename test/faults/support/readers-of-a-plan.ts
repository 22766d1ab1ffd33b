/** A reader of a plan: what Sesamy shows of them, step by step, and what is known of their lives for the judgement at the end. */
import { aContract, addressOf, anEntitlement, aProfile, nextId } from '../../support/people.js';
import { contractOf } from '../../support/readers.js';
import type { System } from '../../support/system.js';
import type { PlannedReader, turns } from './schedule.js';

const dayMs = 24 * 60 * 60_000;
export const at = (days: number) => new Date(Date.now() + days * dayMs).toISOString();

type Turn = (typeof turns)[number];

/** Later than this the paid time is not moved on: what is paid for that long ahead is no renewal. */
const mostRenewals = 3;

export class PlanReader {
  readonly id = nextId();
  readonly addresses = [addressOf(this.id), `second-${addressOf(this.id)}`] as const;
  /** Everything that has happened, in order. */
  readonly lived: Turn[] = [];
  renewals = 0;
  /** Times at which the contract became so. */
  readonly became = { overdue: 0, ended: 0, running: 0 };
  isErased = false;
  isDeletedInRule = false;
  /** Consent that was taken away in Rule, and must not come back. */
  refuses = { suppressed: false, blocked: false };
  address: 0 | 1 = 0;
  status: 'ACTIVE' | 'OVERDUE' | 'EXPIRED' = 'ACTIVE';
  private firstName = 'Plantedförnamn';
  private isCancelling = false;
  private products = 0;
  private tags: string[] = [];
  private changedAt = at(-20);
  private readonly since: string;

  constructor(readonly planned: PlannedReader) {
    this.since = planned.isKnown ? at(-200) : at(0);
  }

  get contractId(): string {
    return contractOf(this.id);
  }

  get email(): string {
    return this.addresses[this.address];
  }

  /** Paid time: of somebody known it ended yesterday, and moves on by days, so that each is a renewal. */
  private get paidUntil(): string {
    return this.renewals === 0 ? at(this.planned.isKnown ? -1 : 1) : at(this.renewals);
  }

  show({ sesamy }: System): void {
    const isActive = this.status !== 'EXPIRED';
    const contract = aContract(this.id, this.contractId, {
      createdAt: this.since,
      updatedAt: this.changedAt,
      status: this.status,
      isActive,
      nextBillAt: isActive && !this.isCancelling ? this.paidUntil : null,
      willCancelAt: isActive && this.isCancelling ? at(25) : null,
      ...(isActive ? {} : { expiresAt: this.changedAt }),
    });
    const names = ['Daily', 'Weekend', 'Evening'];
    const title = names[this.products % names.length] ?? '';
    sesamy.setPerson({
      profile: aProfile(this.id, {
        createdAt: this.since,
        email: this.email,
        firstName: this.firstName,
        tags: this.tags,
      }),
      contracts: [contract],
      entitlements: [
        anEntitlement(`e-${this.id.slice(-6)}`, this.contractId, {
          sku: `sid:${title.toLowerCase()}`,
          title,
          hasAccess: isActive,
        }),
      ],
    });
  }

  /** @returns whether it could happen to the reader as they are */
  live(turn: Turn, system: System): boolean {
    const happened = this.turn(turn);
    if (!happened) return false;
    this.lived.push(turn);
    this.show(system);
    return true;
  }

  private turn(turn: Turn): boolean {
    const isRunning = this.status !== 'EXPIRED';
    const touch = () => {
      // Sesamy's dates have a second's resolution, and an event is named by its minute.
      this.changedAt = at(0);
      return true;
    };
    switch (turn) {
      case 'renews':
        if (this.status !== 'ACTIVE' || this.isCancelling || this.renewals >= mostRenewals) return false;
        this.renewals += 1;
        return touch();
      case 'payment fails':
        if (this.status !== 'ACTIVE' || this.isCancelling) return false;
        this.status = 'OVERDUE';
        this.became.overdue += 1;
        return touch();
      case 'payment recovers':
        if (this.status !== 'OVERDUE') return false;
        this.status = 'ACTIVE';
        return touch();
      case 'cancels':
        if (this.status !== 'ACTIVE' || this.isCancelling) return false;
        this.isCancelling = true;
        return touch();
      case 'regrets':
        if (!isRunning || !this.isCancelling) return false;
        this.isCancelling = false;
        return touch();
      case 'ends':
        if (!isRunning) return false;
        this.status = 'EXPIRED';
        this.became.ended += 1;
        return touch();
      case 'runs again':
        if (isRunning) return false;
        this.status = 'ACTIVE';
        this.isCancelling = false;
        this.became.running += 1;
        return touch();
      case 'is renamed':
        this.firstName = `${this.firstName} B`;
        return true;
      case 'changes products':
        this.products += 1;
        return true;
      case 'moves to the other address':
        this.address = this.address === 0 ? 1 : 0;
        return true;
      case 'gets a tag':
        this.tags = [...this.tags, `Kultur ${this.tags.length}`];
        return true;
    }
  }
}
