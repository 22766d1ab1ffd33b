import { ControlRefusal } from '../common/controls.js';
import { digital } from './catalogue.js';
import { getPerson, type Life } from './life.js';
import type { Address, Bill, Contract, Entitlement, Person, Profile, Transaction } from './model.js';
import { newEntitlement } from './rows.js';

/** Members with `null` or `undefined` are taken away. */
export type ProfilePatch = { [K in keyof Profile]?: Profile[K] | null | undefined };

export interface NewPerson {
  /** `email|` and 24 hexadecimal digits when left out. */
  id?: string | undefined;
  /** Over those of a confirmed reader without address, phone or tags. */
  profile?: ProfilePatch | undefined;
}

/** Rows as a test wants them, whether or not they are well formed. */
export interface RawPerson {
  /** `profile.userId` when left out. */
  id?: string | undefined;
  profile?: object | undefined;
  contracts?: readonly object[] | undefined;
  entitlements?: readonly object[] | undefined;
  bills?: readonly object[] | undefined;
  transactions?: readonly object[] | undefined;
  notes?: object | undefined;
}

export interface ExternalAccess {
  /** Of the catalogue; the first product when left out. */
  productSku?: string | undefined;
  expiresAt?: string | undefined;
  listName?: string | undefined;
}

/** A new relation to the vendor. */
export function addPerson(life: Life, { id, profile = {} }: NewPerson = {}): Person {
  const { world, raise } = life;
  const userId = id ?? profile.userId ?? `email|${world.newId(24)}`;
  if (world.person(userId)) throw new ControlRefusal(`There is a person ${userId} already.`, 409);
  const now = world.timestamp();
  const email = `reader.${userId.replace(/\W/g, '').slice(-12)}@example.com`;
  const whole: Profile = { userId, sub: userId, email, emailVerified: true, tags: [], createdAt: now, updatedAt: now };
  patchProfile(whole, { ...profile, userId });
  world.put({ ...noRows(), id: userId, profile: whole });
  raise('userVendor.1#new', userId);
  return getPerson(life, userId);
}

/** Puts a person there as given, in place of the one with this id, and tells nobody. Lists left out stay as they were. */
export function setPerson(life: Life, raw: RawPerson): Person {
  const id = raw.id ?? (raw.profile && 'userId' in raw.profile ? String(raw.profile.userId) : undefined);
  if (!id) throw new ControlRefusal('A person needs an id, or a profile with a userId.');
  const existing = life.world.person(id) ?? { ...noRows(), profile: undefined };
  const now = life.world.timestamp();
  life.world.put({
    id,
    profile: (raw.profile ?? existing.profile ?? { userId: id, createdAt: now, updatedAt: now }) as Profile,
    contracts: [...(raw.contracts ?? existing.contracts)] as Contract[],
    entitlements: [...(raw.entitlements ?? existing.entitlements)] as Entitlement[],
    bills: [...(raw.bills ?? existing.bills)] as Bill[],
    transactions: [...(raw.transactions ?? existing.transactions)] as Transaction[],
    notes: (raw.notes ?? existing.notes) as Person['notes'],
  });
  return getPerson(life, id);
}

/** Changes the profile, for example name, phones, tags or `emailVerified`. */
export function updateProfile(life: Life, id: string, patch: ProfilePatch): Person {
  getPerson(life, id);
  const person = life.world.edit(id, ({ profile }) => {
    patchProfile(profile, { ...patch, userId: id });
    profile.updatedAt = life.world.timestamp();
  });
  life.raise('userVendor.1#update', id);
  return person;
}

/** Changes some lines of the billing address; an empty line is taken away. */
export function changeAddress(life: Life, id: string, lines: Address): Person {
  const merged = { ...getPerson(life, id).profile.billingAddress, ...lines };
  const billingAddress = Object.fromEntries(Object.entries(merged).filter(([, line]) => line));
  return updateProfile(life, id, { billingAddress });
}

export function addTag(life: Life, id: string, tag: string): Person {
  const tags = getPerson(life, id).profile.tags ?? [];
  return updateProfile(life, id, { tags: [...new Set([...tags, tag])] });
}

export function removeTag(life: Life, id: string, tag: string): Person {
  const tags = getPerson(life, id).profile.tags ?? [];
  return updateProfile(life, id, { tags: tags.filter((one) => one !== tag) });
}

/** Deletes somebody with all they hold. No event tells of it (sesamy-api §4.2). */
export function deletePerson(life: Life, id: string): void {
  getPerson(life, id);
  life.world.remove(id);
}

/** Access from elsewhere, for example a library's: no contract, and an event that is not forwarded by default. */
export function grantExternal(life: Life, id: string, input: ExternalAccess = {}): Entitlement {
  const { world, raise } = life;
  const { productSku = digital.sku, expiresAt, listName = 'Biblioteken i Småland' } = input;
  const product = world.products.find(({ sku }) => sku === productSku);
  if (!product) throw new ControlRefusal(`There is no product ${productSku}.`, 404);
  getPerson(life, id);
  const origin = { type: 'EXTERNAL', id: world.newId(32), listId: 'list-biblioteken', name: listName } as const;
  const entitlement = newEntitlement(world.newId(32), product, origin, { expiresAt, createdAt: world.timestamp() });
  world.edit(id, ({ entitlements }) => entitlements.push(entitlement));
  raise('entitlement.1#new', id, { entitlementId: entitlement.id });
  return entitlement;
}

/** Ends one access from elsewhere, or all of them. */
export function revokeExternal(life: Life, id: string, entitlementId?: string): Entitlement[] {
  const now = life.world.timestamp();
  const isMeant = (one: Entitlement) =>
    one.origin?.type === 'EXTERNAL' && one.hasAccess && (entitlementId === undefined || one.id === entitlementId);
  if (!getPerson(life, id).entitlements.some(isMeant)) throw new ControlRefusal('There is no such access.', 404);
  const ended: Entitlement[] = [];
  life.world.edit(id, ({ entitlements }) => {
    for (const entitlement of entitlements.filter(isMeant)) {
      ended.push(Object.assign(entitlement, { hasAccess: false, expiresAt: now, updatedAt: now }));
    }
  });
  for (const entitlement of ended) life.raise('entitlement.1#update', id, { entitlementId: entitlement.id });
  return ended;
}

function patchProfile(profile: Profile, patch: ProfilePatch): void {
  Object.assign(profile, patch);
  for (const [key, value] of Object.entries(profile)) {
    if (value === null || value === undefined) delete profile[key as keyof Profile];
  }
}

function noRows(): Omit<Person, 'id' | 'profile'> {
  return { contracts: [], entitlements: [], bills: [], transactions: [], notes: {} };
}
