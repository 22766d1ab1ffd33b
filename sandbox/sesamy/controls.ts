import type { Recorder } from '../common/recorder.js';
import { advance, lengthOf, nextDue, type Span } from './advance.js';
import * as contracts from './contract-life.js';
import { getContract, getPerson, type Life } from './life.js';
import { type LiveOnOptions, type LiveOnProgress, LivingOn, type NotDone } from './live-on.js';
import type { Address, Contract, Entitlement, Person } from './model.js';
import * as people from './person-life.js';
import type { SesamySwitches } from './switches.js';
import type { Tokens } from './tokens.js';
import type { EventType, WebhookDelivery, WebhookEvent, Webhooks } from './webhooks.js';
import type { World } from './world.js';

export interface ControlDeps {
  vendorId: string;
  world: World;
  switches: SesamySwitches;
  tokens: Tokens;
  webhooks: Webhooks;
  recorder: Recorder;
  notDone?: NotDone | undefined;
}

/**
 * What readers, staff and time do. Each change sends the webhooks that Sesamy documents for it. People and contracts that are not there
 * are refused with a ControlRefusal.
 */
export class Controls {
  /** The steps of {@link liveOn}: how far they are, and stopping them. */
  readonly livingOn: LivingOn;
  private readonly life: Life;

  constructor(private readonly deps: ControlDeps) {
    const { world, switches, recorder, notDone } = deps;
    this.life = {
      world,
      raise: (eventType, userId, ids = {}) => {
        this.send({ eventType, userId, ...ids, occured_at: world.timestamp() });
      },
    };
    this.livingOn = new LivingOn({
      world,
      switches,
      recorder,
      advance: (ms) => this.advanceBy(ms),
      nudge: (userId) => this.send({ eventType: 'userVendor.1#update', userId, occured_at: world.timestamp() }),
      notDone,
    });
  }

  /** The stand-in's clock. */
  now(): Date {
    return this.deps.world.now();
  }

  /** Everybody, invented anew where nobody changed them: with a large population, prefer the world's iterators. */
  people(): Person[] {
    return [...this.deps.world.everybody()].map((person) => structuredClone(person));
  }

  person(id: string): Person | undefined {
    return structuredClone(this.deps.world.person(id));
  }

  addPerson(overrides?: people.NewPerson): Person {
    return people.addPerson(this.life, overrides);
  }

  /** Rows as given and without any webhook. */
  setPerson(raw: people.RawPerson): Person {
    return people.setPerson(this.life, raw);
  }

  /** As {@link setPerson}, for contracts alone. */
  setContracts(id: string, rows: readonly object[]): Person {
    return people.setPerson(this.life, { ...getPerson(this.life, id), contracts: rows });
  }

  updateProfile(id: string, patch: people.ProfilePatch): Person {
    return people.updateProfile(this.life, id, patch);
  }

  changeAddress(id: string, lines: Address): Person {
    return people.changeAddress(this.life, id, lines);
  }

  changeEmail(id: string, email: string): Person {
    return people.updateProfile(this.life, id, { email });
  }

  /** The guest signs in for the first time, which proves the address (sesamy-api §8). */
  confirm(id: string): Person {
    return people.updateProfile(this.life, id, { emailVerified: true });
  }

  addTag(id: string, tag: string): Person {
    return people.addTag(this.life, id, tag);
  }

  removeTag(id: string, tag: string): Person {
    return people.removeTag(this.life, id, tag);
  }

  deletePerson(id: string): void {
    people.deletePerson(this.life, id);
  }

  purchase(id: string, input: contracts.PurchaseInput): contracts.Purchase {
    return contracts.purchase(this.life, id, input);
  }

  buyArticle(id: string, productSku?: string): contracts.Purchase {
    return contracts.buyArticle(this.life, id, productSku);
  }

  contract(contractId: string): Contract {
    return structuredClone(getContract(this.life, contractId).contract);
  }

  renew(contractId: string): Contract {
    return contracts.renew(this.life, contractId);
  }

  cancel(contractId: string): Contract {
    return contracts.cancel(this.life, contractId);
  }

  regret(contractId: string): Contract {
    return contracts.regret(this.life, contractId);
  }

  failPayment(contractId: string): Contract {
    return contracts.failPayment(this.life, contractId);
  }

  recoverPayment(contractId: string): Contract {
    return contracts.recoverPayment(this.life, contractId);
  }

  /** Ends by itself: `EXPIRED`. */
  expire(contractId: string): Contract {
    return contracts.end(this.life, contractId, 'EXPIRED');
  }

  /** Ends by wish, at once: `CANCELED`. */
  endNow(contractId: string): Contract {
    return contracts.end(this.life, contractId, 'CANCELED');
  }

  refund(billId: string): Contract {
    return contracts.refund(this.life, billId);
  }

  grantExternal(id: string, input?: people.ExternalAccess): Entitlement {
    return people.grantExternal(this.life, id, input);
  }

  revokeExternal(id: string, entitlementId?: string): Entitlement[] {
    return people.revokeExternal(this.life, id, entitlementId);
  }

  /** Moves the stand-in's clock at once; what falls due on the way happens, with its webhooks. Refused while {@link liveOn} runs. */
  advance(span: Span): void {
    this.livingOn.refuseWhileRunning();
    this.advanceBy(lengthOf(span));
  }

  /**
   * Moves the clock in steps, as {@link advance}; in each, whoever got no webhook is nudged by a `userVendor.1#update`, and the next step
   * waits until the program has looked at them. @returns how it ended. @throws ControlRefusal, 409 while it runs already.
   */
  async liveOn(span: Span, options: LiveOnOptions = {}): Promise<LiveOnProgress> {
    return this.livingOn.start(span, options);
  }

  /** When the next renewal, further try of a bill, or end falls due (ISO instant); absent where nothing will. */
  nextDue(): string | undefined {
    return nextDue(this.life);
  }

  /** Tells of each person as if they signed up now. @returns how many webhooks will be sent. */
  announceEveryone(): number {
    let count = 0;
    for (const userId of this.deps.world.userIds()) {
      const occured_at = this.deps.world.timestamp();
      if (this.send({ eventType: 'userVendor.1#new', userId, occured_at })) count += 1;
    }
    return count;
  }

  /** Sends one webhook without any change. */
  announce(eventType: EventType, userId: string, ids: Parameters<Life['raise']>[2] = {}): void {
    this.life.raise(eventType, userId, ids);
  }

  /** Makes every access token that was given out so far worthless. */
  revokeTokens(): void {
    this.deps.tokens.revokeAll();
  }

  /** Gives the credential another secret; the old one is refused from now on. */
  replaceClientSecret(secret: string): void {
    this.deps.tokens.replaceSecret(secret);
  }

  private advanceBy(ms: number): WebhookDelivery[] {
    const deliveries: WebhookDelivery[] = [];
    advance(this.life, ms, (event) => {
      const delivery = this.send(event);
      if (delivery) deliveries.push(delivery);
    });
    return deliveries;
  }

  private send({ eventType, userId, ...rest }: Omit<WebhookEvent, 'vendorId'>): WebhookDelivery | undefined {
    return this.deps.webhooks.send({ eventType, vendorId: this.deps.vendorId, userId, ...rest });
  }
}
