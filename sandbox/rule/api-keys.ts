/** A key as listed; the value comes back only on create (rule-api §1). */
export interface ApiKey {
  id: number;
  name: string;
  key: string;
  createdAt: Date;
  updatedAt: Date;
}

/** The account's keys. */
export class ApiKeys {
  readonly byId = new Map<number, ApiKey>();

  accepts(key: string): boolean {
    for (const known of this.byId.values()) if (known.key === key) return true;
    return false;
  }

  add(name: string, key: string, now: Date): ApiKey {
    const id = Math.max(0, ...this.byId.keys()) + 1;
    const created: ApiKey = { id, name, key, createdAt: now, updatedAt: now };
    this.byId.set(id, created);
    return created;
  }
}
