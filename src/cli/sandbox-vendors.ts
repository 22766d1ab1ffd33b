import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Subscribers } from '../client.js';
import { notDoneWith } from './not-done.js';
import { freePort } from './ports.js';

/** Invented readers of the first run: enough to look around, few enough to be there within seconds. */
const people = 40;
/** The stand-in's own limit is raised with it, so that the first run is quick. */
const requestsPerSecond = 60;

/** Both vendors' stand-ins, running in this process. */
export interface SandboxVendors {
  vendorId: string;
  rulePage: string;
  sesamyPage: string;
  /** A reader with a subscription, for the examples that are printed. */
  exampleUserId: string;
  /** The settings under which the program reaches the stand-ins. */
  env: Record<string, string> & { WEBHOOK_SECRET: string };
  /** The stand-ins' clock, which can be moved forward on their pages. */
  now: () => Date;
  /** Where the stand-in of Sesamy posts its webhooks from now on. */
  sendWebhooksTo(url: string): void;
  /**
   * Lets the clock, where it is moved in steps, wait at each step until the program is done with it.
   * @returns what ends that, and the steps under way; it resolves when nobody is asked any more
   */
  waitFor(subscribers: Subscribers): () => Promise<void>;
  /** Has the stand-in of Sesamy tell of each reader once, as if they signed up now; on the first run only. Says how many are there. */
  begin(say: (line: string) => void): Promise<void>;
  close(): Promise<void>;
}

/** Starts the stand-ins on the data folder, so that a second start finds the same readers. */
export async function startSandboxVendors(dataFolder: string): Promise<SandboxVendors> {
  const { startRuleSandbox, startSesamySandbox } = await import('../../sandbox/index.js');
  const secret = 'sandbox-webhook-secret';
  const host = '127.0.0.1';
  const vendorId = 'daily';
  let program: Subscribers | undefined;
  const sesamy = await startSesamySandbox({
    host,
    port: await freePort(4001, host),
    vendorId,
    dataFile: join(dataFolder, 'sandbox-sesamy.json'),
    population: { people, seed: 1 },
    rps: requestsPerSecond * 2,
    notDone: async (read) => (program ? notDoneWith(program, vendorId, read) : []),
  });
  const now = () => sesamy.now();
  const rule = await startRuleSandbox({
    host,
    port: await freePort(4002, host),
    dataFile: join(dataFolder, 'sandbox-rule.json'),
    // One clock for both: it can be moved forward on the pages.
    now,
  }).catch(async (error: unknown) => {
    // Nobody else knows of the one that runs already: the process would not end.
    await sesamy.close();
    throw error;
  });
  rule.addExampleJourneys();
  let closed = false;
  const readers = sesamy.people();
  const example =
    readers.find((person) => person.contracts.some((contract) => contract.status === 'ACTIVE')) ?? readers[0];
  return {
    vendorId,
    rulePage: rule.pageUrl,
    sesamyPage: sesamy.pageUrl,
    exampleUserId: example?.id ?? '',
    env: {
      SESAMY_VENDOR_ID: vendorId,
      SESAMY_CLIENT_ID: sesamy.clientId,
      SESAMY_CLIENT_SECRET: sesamy.clientSecret,
      SESAMY_API_URL: sesamy.url,
      SESAMY_TOKEN_URL: sesamy.tokenUrl,
      SESAMY_RPS: String(requestsPerSecond),
      RULE_API_KEY: rule.apiKey,
      RULE_API_URL: rule.url,
      WEBHOOK_SECRET: secret,
    },
    now,
    sendWebhooksTo(url) {
      sesamy.webhooks.setTarget({ url, headers: { Authorization: `Bearer ${secret}` } });
    },
    waitFor(subscribers) {
      program = subscribers;
      return async () => {
        await sesamy.livingOn.stop();
        program = undefined;
      };
    },
    async begin(say) {
      const confirmed = readers.filter(({ profile }) => profile.email && profile.emailVerified !== false).length;
      // All of them again, where the first run was stopped before all were there: it does no harm.
      const before = rule.subscribers().length;
      if (before >= confirmed || sesamy.world.ahead > 0) {
        say(`${before} readers are in Rule, as they were before.`);
        return;
      }
      sesamy.announceEveryone();
      for (let look = 0; look < 120 && !closed && rule.subscribers().length < confirmed; look += 1)
        await delay(500, undefined, { ref: false });
      if (!closed)
        say(`${rule.subscribers().length} invented readers are in Rule; ${people - confirmed} guests are left out.`);
    },
    async close() {
      closed = true;
      await sesamy.close();
      await rule.close();
    },
  };
}
