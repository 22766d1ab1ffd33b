/**
 * Valid answers of both vendors, spoilt at random: each call ends in data of its documented form or in an error of its documented type,
 * soon, and no error shows what was in the answer.
 */
import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { inspect } from 'node:util';
import fc from 'fast-check';
import { z } from 'zod';
import { VendorError } from '../src/http/errors.js';
import { createAccountGate, createRuleClient } from '../src/rule/index.js';
import { createSesamyClient } from '../src/sesamy/index.js';
import { pollution, prototypeNames, scale, search } from './support/fuzz.js';
import { type LocalServer, type SeenRequest, startLocalServer } from './support/local-server.js';

const userId = 'email|84cccf985de28a2a84824786';
const marker = 'ZqxPlantedValue';
const clientSecret = 'ZqxPlantedSecret';
const apiKey = 'ZqxPlantedKey';

/** An answer to every call of both clients, with a marker in each text that could be personal. */
const valid: [path: RegExp, answer: unknown][] = [
  [/\/token$/, { access_token: 'ZqxPlantedToken', expires_in: 86400, token_type: 'Bearer' }],
  [
    /\/management\/users\//,
    {
      userId,
      email: `${marker}@example.com`,
      emailVerified: true,
      firstName: marker,
      lastName: marker,
      mobilePhone: marker,
      tags: [marker],
      billingAddress: { firstName: marker, street: marker, zip: '11122', country: 'SE' },
      createdAt: '2026-01-02T03:04:05Z',
    },
  ],
  [/\/management\/users/, { data: [{ id: userId, email: `${marker}@example.com` }], pagination: { total: 1 } }],
  [
    /\/management\/contracts/,
    {
      data: [
        {
          id: 'c1',
          userId,
          status: 'ACTIVE',
          isActive: true,
          contractDuration: 'RECURRING',
          recurringInterval: 'MONTH',
          recurringTime: 1,
          items: [{ sku: 's', name: marker, purchaseOptionId: 'o', purchaseOptionName: marker }],
          createdAt: '2026-01-02T03:04:05Z',
        },
      ],
      pagination: { total: 1 },
    },
  ],
  [
    /\/management\/entitlements.*84cccf985/,
    [
      {
        id: 'e1',
        sku: 's',
        title: marker,
        type: 'pass',
        hasAccess: true,
        origin: { type: 'PAYMENTS', contractId: 'c1' },
      },
    ],
  ],
  [/\/management\/entitlements/, []],
  [
    /\/management\/transactions/,
    { transactions: [{ id: 't1', userId, billId: 'b1', amount: 129, currency: 'SEK', isRefund: false }] },
  ],
  [
    /\/management\/bills\//,
    { id: 'b1', status: 'PAID', price: 129, currency: 'SEK', items: [{ sku: 's', title: marker }] },
  ],
  [/fields/, { groups: [{ name: 'Subscriber', fields: [{ name: 'FirstName', type: 'text', value: marker }] }] }],
  [
    /subscriber/,
    {
      message: 'Success',
      data: { id: 9001, email: `${marker}@example.com` },
      subscriber: {
        id: 9001,
        email: `${marker}@example.com`,
        phone_number: marker,
        tags: [{ id: 1, name: 'sesamy' }],
        suppressed: false,
      },
    },
  ],
  [/./, { data: [{ id: 1, name: marker, email: `${marker}@example.com` }], meta: { total: 1 } }],
];

// --- how an answer is spoilt

const deep = (depth: number, open: string, close: string) => `${open.repeat(depth)}1${close.repeat(depth)}`;
/** As it stands in JSON: some of these no JavaScript value could become. */
const oddValue = fc.oneof(
  fc.constantFrom(
    'null',
    'true',
    '0',
    '-1',
    '1e999',
    '-1e999',
    '1e308',
    '9007199254740993',
    '""',
    '[]',
    '{}',
    '[null]',
  ),
  fc.constantFrom(
    '"\\ud800"',
    '"\\u0000"',
    '"\\r\\nX-Evil: 1"',
    '"../users"',
    '"%2e%2e"',
    '"2026-99-99"',
    '"__proto__"',
  ),
  fc.constantFrom(deep(6_000, '[', ']'), deep(6_000, '{"a":', '}'), `"${marker.repeat(70_000)}"`),
  fc
    .constantFrom(...prototypeNames)
    .map((name) => `{${JSON.stringify(name)}:{"id":1,"email":"${marker}@example.com"}}`),
  fc.string({ unit: 'binary', maxLength: 20 }).map((text) => JSON.stringify(text)),
  fc.double().map((number) => JSON.stringify(number)),
);
const spoil = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('value' as const), at: fc.nat(60), by: oddValue }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('remove' as const), at: fc.nat(60) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('member' as const),
      name: fc.oneof(fc.constantFrom(...prototypeNames, 'data', 'id', 'error', 'message'), fc.string({ maxLength: 6 })),
      by: oddValue,
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('cut' as const), at: fc.nat(400) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('bytes' as const), by: fc.uint8Array({ maxLength: 60 }) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('encoding' as const),
      as: fc.constantFrom('utf16le' as const, 'latin1' as const, 'bom' as const, 'gzip' as const),
    }),
  },
);
type Spoil = typeof spoil extends fc.Arbitrary<infer T> ? T : never;

/** The JSON of a value with each of its places numbered in order; one of them is replaced or left out. */
function spoiltJson(value: unknown, how: Spoil): string {
  let place = 0;
  const write = (one: unknown): string | undefined => {
    const here = place++;
    if (how.kind === 'value' && how.at === here) return how.by;
    if (how.kind === 'remove' && how.at === here && here > 0) return undefined;
    if (Array.isArray(one)) return `[${one.flatMap((item) => write(item) ?? []).join(',')}]`;
    if (typeof one === 'object' && one !== null) {
      const members = Object.entries(one).flatMap(([name, member]) => {
        const text = write(member);
        return text === undefined ? [] : [`${JSON.stringify(name)}:${text}`];
      });
      // Doubled names among them: JSON allows it, and the last one counts.
      if (how.kind === 'member') members.push(`${JSON.stringify(how.name)}:${how.by}`);
      return `{${members.join(',')}}`;
    }
    return JSON.stringify(one);
  };
  return write(value) ?? 'null';
}

function spoiltBody(value: unknown, how: Spoil): { body: Buffer; headers: Record<string, string> } {
  const json = spoiltJson(value, how);
  const headers: Record<string, string> = { 'content-type': 'application/json' };
  switch (how.kind) {
    case 'cut':
      return { body: Buffer.from(json.slice(0, how.at)), headers };
    case 'bytes':
      return { body: Buffer.concat([Buffer.from(json.slice(0, 20)), how.by, Buffer.from(json.slice(20))]), headers };
    case 'encoding':
      if (how.as === 'bom') return { body: Buffer.from(`\ufeff${json}`), headers };
      if (how.as === 'gzip') return { body: Buffer.from(json), headers: { ...headers, 'content-encoding': 'gzip' } };
      return { body: Buffer.from(json, how.as), headers };
    default:
      return { body: Buffer.from(json), headers };
  }
}

// --- what a good answer is

const text = z.string();
const maybe = text.optional();
const address = z.strictObject(
  Object.fromEntries(['firstName', 'lastName', 'street', 'city', 'zip', 'country', 'co'].map((name) => [name, maybe])),
);
const optionalTexts = <const N extends string>(...names: N[]) =>
  Object.fromEntries(names.map((name) => [name, maybe])) as Record<N, typeof maybe>;
const finite = z.number();
const forms = {
  user: z
    .strictObject({
      id: text.min(1),
      emailVerified: z.boolean().optional(),
      tags: z.array(text),
      billingAddress: address.optional(),
      ...optionalTexts('email', 'firstName', 'lastName', 'mobilePhone', 'phone', 'workPhone', 'homePhone', 'locale'),
      ...optionalTexts('createdAt', 'updatedAt'),
    })
    .optional(),
  contracts: z.array(
    z.looseObject({ id: text.min(1), userId: z.literal(userId), status: text, isActive: z.boolean() }),
  ),
  entitlements: z.array(z.looseObject({ id: text.min(1), sku: text, title: text, type: text, hasAccess: z.boolean() })),
  transactions: z.array(z.looseObject({ id: text.min(1), billId: text.min(1), amount: finite, isRefund: z.boolean() })),
  bill: z
    .looseObject({
      id: text.min(1),
      status: text,
      price: finite,
      items: z.array(z.strictObject({ sku: text, title: text })),
    })
    .optional(),
  ids: z.strictObject({ ids: z.array(text.min(1)), rows: finite, total: finite.optional() }),
  subscriber: z
    .strictObject({
      id: z.int().positive(),
      email: maybe,
      tags: z.array(text).optional(),
      suppressed: z.boolean(),
      mailable: z.boolean(),
      createdAt: maybe,
    })
    .optional(),
  anything: z.unknown(),
};

/** Nothing of a prototype's stands in for a member: what an answer calls `__proto__` is left alone. */
function assertPlain(value: unknown, path = 'answer'): void {
  if (typeof value !== 'object' || value === null) return;
  const prototype = Object.getPrototypeOf(value) as unknown;
  const isPlain = [Object.prototype, Array.prototype, Map.prototype, Set.prototype, null].includes(prototype as object);
  assert.ok(isPlain, `${path} has a prototype that came with the answer`);
  for (const [name, member] of Object.entries(value)) assertPlain(member, `${path}.${name}`);
}

describe('spoilt answers of the vendors', function () {
  this.timeout(20_000 * Math.max(1, scale));
  let server: LocalServer;
  let answer: (request: SeenRequest, response: ServerResponse) => void;

  before(async () => {
    server = await startLocalServer((request, response) => answer(request, response));
  });
  after(() => server.close());

  const timeouts = { totalMs: 5_000, connectMs: 2_000, headersMs: 3_000, idleMs: 2_000 };
  const openSesamy = () =>
    createSesamyClient({
      apiUrl: server.url,
      tokenUrl: `${server.url}/token`,
      clientId: 'client',
      clientSecret,
      vendorId: 'daily',
      rps: 10_000,
      timeouts,
    });
  const openRule = () => createRuleClient({ apiUrl: server.url, apiKey, gate: createAccountGate(), timeouts });

  type Call = [name: string, call: () => Promise<unknown>, form: z.ZodType];

  async function tryAll(calls: readonly Call[]): Promise<number> {
    const outcomes = await Promise.allSettled(calls.map(async ([, call]) => call()));
    let good = 0;
    for (const [index, outcome] of outcomes.entries()) {
      const [name, , form] = calls[index] ?? assert.fail();
      if (outcome.status === 'fulfilled') {
        good += 1;
        const { error } = form.safeParse(outcome.value);
        assert.equal(error, undefined, `${name} gives ${inspect(outcome.value, { depth: 6, maxStringLength: 80 })}`);
        assertPlain(outcome.value, name);
        continue;
      }
      const { reason } = outcome as { reason: unknown };
      const stack = reason instanceof Error ? String(reason.stack) : '';
      assert.ok(reason instanceof VendorError, `${name} throws ${inspect(reason).slice(0, 500)}`);
      const shown = [reason.message, stack, JSON.stringify(reason), inspect(reason, { depth: 8 })].join('\n');
      assert.doesNotMatch(shown, /zqx/i, `${name} tells ${shown.slice(0, 500)}`);
      assert.ok(reason.message.length < 1_000, `${name} tells ${reason.message.length} characters`);
    }
    assert.deepEqual(pollution(), []);
    return good;
  }

  function sesamyCalls(sesamy: ReturnType<typeof openSesamy>): Call[] {
    return [
      ['getUser', () => sesamy.getUser(userId), forms.user],
      ['listContracts', () => sesamy.listContracts(userId), forms.contracts],
      ['listEntitlements', () => sesamy.listEntitlements(userId), forms.entitlements],
      ['listTransactions', () => sesamy.listTransactions(userId), forms.transactions],
      ['getBill', () => sesamy.getBill('b1'), forms.bill],
      ['listUserIds', () => sesamy.listUserIds(0), forms.ids],
      ['userPage', () => sesamy.userPage(0), forms.anything],
      ['contractPage', () => sesamy.contractPage(0), forms.anything],
      ['entitlementPage', () => sesamy.entitlementPage(0), forms.anything],
    ];
  }

  function ruleCalls(rule: ReturnType<typeof openRule>): Call[] {
    const fields = [{ key: 'Subscriber.FirstName', value: 'Kim', type: 'text' as const }];
    const row = { group: 'Sesamy_Event', values: { ID: '1' } };
    return [
      [
        'upsertByEmail',
        () => rule.upsertByEmail({ email: 'kim@example.com', fields, tags: ['sesamy'] }),
        forms.subscriber,
      ],
      ['update', () => rule.update(9001, { fields }), forms.subscriber],
      ['findByEmail', () => rule.findByEmail('kim@example.com'), forms.subscriber],
      ['get', () => rule.get(9001), forms.subscriber],
      ['readFields', () => rule.readFields(9001), forms.anything],
      ['listFieldTypes', () => rule.listFieldTypes(), forms.anything],
      ['addTags', () => rule.addTags(9001, ['sesamy'], { recalculateSegments: true }), forms.anything],
      ['removeTag', () => rule.removeTag(9001, 'sesamy'), forms.anything],
      ['fire', () => rule.fire(9001, ['sesamy']), forms.anything],
      ['appendRow', () => rule.appendRow(9001, row), forms.anything],
      ['findRow', () => rule.findRow(9001, { group: 'Sesamy_Event', field: 'ID', value: '1' }), forms.anything],
    ];
  }

  it('unspoilt, most of the calls bring data: the search begins at what is good', async () => {
    answer = ({ url }, response) => {
      const [, value] = valid.find(([path]) => path.test(url)) ?? assert.fail(url);
      response.setHeader('content-type', 'application/json').end(JSON.stringify(value));
    };
    const [sesamy, rule] = [openSesamy(), openRule()];
    assert.equal(await tryAll(sesamyCalls(sesamy)), 9);
    assert.ok((await tryAll(ruleCalls(rule))) >= 6);
    await Promise.all([sesamy.close(), rule.close()]);
  });

  it('end in data of the documented form or in a typed error, and nothing of them is told', async () => {
    const one = fc.record({
      how: spoil,
      /** Which answer: the others are as they should be, so that calls of several requests come so far. */
      which: fc.oneof(fc.constant(-1), fc.nat(valid.length - 1)),
      status: fc.constantFrom(200, 200, 200, 200, 201, 204, 206, 299, 404, 422, 500),
    });
    await fc.assert(
      fc.asyncProperty(one, async ({ how, which, status }) => {
        answer = ({ url }, response) => {
          const index = valid.findIndex(([path]) => path.test(url));
          const [, value] = valid[index] ?? assert.fail(url);
          if (which !== -1 && which !== index) {
            response.setHeader('content-type', 'application/json').end(JSON.stringify(value));
            return;
          }
          const { body, headers } = spoiltBody(value, how);
          response.writeHead(status, headers).end(status === 204 ? undefined : body);
        };
        const [sesamy, rule] = [openSesamy(), openRule()];
        try {
          await tryAll([...sesamyCalls(sesamy), ...ruleCalls(rule)]);
        } finally {
          await Promise.all([sesamy.close(), rule.close()]);
        }
      }),
      search(50),
    );
  });
});
