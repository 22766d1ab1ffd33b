import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { answerList, listParameters, pageOf, readQuery, wrapPage } from './lists.js';
import type { Bill, Contract, Entitlement, Person, Product, Transaction } from './model.js';
import { notFound, Refusal, undocumented } from './refusal.js';
import type { SesamySwitches } from './switches.js';
import type { Credentials, Tokens } from './tokens.js';
import type { World } from './world.js';

export interface ApiDeps {
  world: World;
  switches: SesamySwitches;
  tokens: Tokens;
  credentials: Credentials;
  onViolation: (request: FastifyRequest, why: string) => void;
}

type ById = { Params: { id: string } };

/** The reads of the Management API, and the profile of the client API (sesamy-api §2). */
export function serveApi(app: FastifyInstance, deps: ApiDeps): void {
  const { world, switches, tokens, credentials, onViolation } = deps;
  const admit = createLimiter(switches);

  app.addHook('onRequest', async (request, reply) => {
    if (!admit()) return refuseTooMany(reply);
    if (!tokens.accepts(request.headers.authorization)) throw new Refusal(401, 'unauthorized', 'Invalid access token');
    if (/[^\w\-.~!$&'()*+,;=:@/?%]/.test(request.raw.url ?? '')) {
      throw undocumented('The address is not URL-encoded: ids contain |, which is %7C.');
    }
  });
  app.setErrorHandler((error, request, reply) => {
    const refusal = error instanceof Refusal ? error : parserRefusal(error);
    if (refusal.violation) onViolation(request, refusal.message);
    return reply.code(refusal.status).send(refusal.body());
  });
  app.setNotFoundHandler((request) => {
    throw unknownCall(request);
  });

  /** Of one user, or of all. */
  const personsOf = (userId: string | undefined): Iterable<Person> => {
    if (userId === undefined) return shownPeople(world);
    const person = world.shown(userId);
    return person ? [person] : [];
  };
  const list = <T>(
    resource: string,
    own: string[],
    rows: (query: Readonly<Record<string, string | undefined>>) => Iterable<T>,
  ) =>
    app.get(`/management/${resource}`, (request) => {
      const query = readQuery(request.query, listParameters(...own));
      return answerList(switches, resource, query, rows(query));
    });

  app.get('/management/users', (request) => {
    const query = readQuery(request.query, listParameters('search'));
    if (query.search) {
      const found = matching(shownPeople(world), query.search.toLowerCase());
      return answerList(
        switches,
        'users',
        query,
        found.map((person) => wireUser(person, switches)),
      );
    }
    // A page of a long population is not made up from the first person on.
    const page = pageOf(query, switches);
    const users = takeUsers(world, page).map((person) => wireUser(person, switches));
    return wrapPage(switches, 'users', users, { ...page, total: world.size });
  });
  app.get<ById>('/management/users/:id', (request) => {
    readQuery(request.query, []);
    return wireUser(findShown(world, request.params.id), switches);
  });
  app.get<ById>('/profile/:id', (request) => {
    readQuery(request.query, []);
    if (switches.profile === 'refuse') throw new Refusal(403, 'forbidden', 'This needs the token of an end user');
    return findShown(world, request.params.id).profile;
  });

  list('contracts', ['userId', 'status'], ({ userId, status }) =>
    rowsOf(
      personsOf(userId),
      (person) => person.contracts,
      (row: Contract) => sameWord(status, row.status),
    ),
  );
  app.get<ById>('/management/contracts/:id', (request) => {
    readQuery(request.query, []);
    const holder = world.holderOfContract(request.params.id);
    const contract = holder && world.shown(holder.id)?.contracts.find(({ id }) => id === request.params.id);
    if (!contract) throw notFound('Contract');
    return contract;
  });
  list('entitlements', ['userId', 'type', 'sku'], ({ userId, type, sku }) =>
    rowsOf(
      personsOf(switches.entitlementFilter === 'ignored' ? undefined : userId),
      (person) => person.entitlements,
      (row: Entitlement) => sameWord(type, row.type) && (sku === undefined || row.sku === sku),
    ),
  );
  list('bills', ['userId', 'status', 'q', 'contractId'], ({ userId, status, q, contractId }) =>
    rowsOf(
      personsOf(userId),
      (person) => person.bills,
      (row: Bill) =>
        sameWord(status, row.status) &&
        (contractId === undefined || row.contractId === contractId) &&
        (q === undefined || JSON.stringify(row).toLowerCase().includes(q.toLowerCase())),
    ),
  );
  app.get<ById>('/management/bills/:id', (request) => {
    readQuery(request.query, []);
    const holder = world.holderOfBill(request.params.id);
    const bill = holder && world.shown(holder.id)?.bills.find(({ id }) => id === request.params.id);
    if (!bill) throw notFound('Bill');
    return bill;
  });
  // What `type` and `status` mean is documented nowhere, and a transaction has neither: they are taken and not looked at.
  list('transactions', ['userId', 'type', 'status'], ({ userId }) =>
    rowsOf(
      personsOf(userId),
      (person) => person.transactions,
      (_row: Transaction) => true,
    ),
  );
  list('products', ['search'], ({ search = '' }) =>
    world.products
      .filter(({ title, sku }) => `${title} ${sku}`.toLowerCase().includes(search.toLowerCase()))
      .map(wireProduct),
  );
  app.get<ById>('/management/products/:id', (request) => {
    readQuery(request.query, []);
    const product = world.products.find(({ sku }) => sku === request.params.id);
    if (!product) throw notFound('Product');
    return wireProduct(product);
  });
  app.get('/management/vendors', (request) => {
    readQuery(request.query, []);
    return [{ id: credentials.vendorId, name: 'Daily Example', logo: 'https://cdn.example.com/logo.svg' }];
  });
}

function findShown(world: World, id: string): Person {
  const person = world.shown(id);
  if (!person) throw notFound('User');
  return person;
}

/** The whole profile plus `id`, or the five-field `User` (sesamy-api §3.1, §9 Q1). */
function wireUser({ id, profile }: Person, { userAnswer }: SesamySwitches): object {
  if (userAnswer === 'profile') return { id, ...profile };
  const { email, firstName = profile.given_name, lastName = profile.family_name, createdAt, updatedAt } = profile;
  const name = profile.name ?? [firstName, lastName].filter(Boolean).join(' ');
  return { id, ...(email === undefined ? {} : { email }), ...(name ? { name } : {}), createdAt, updatedAt };
}

function wireProduct({ options: _plans, ...product }: World['products'][number]): Product {
  return product;
}

function* shownPeople(world: World): Generator<Person> {
  for (const id of world.userIds()) {
    const person = world.shown(id);
    if (person) yield person;
  }
}

function takeUsers(world: World, { limit, offset }: { limit: number; offset: number }): Person[] {
  const page: Person[] = [];
  for (const id of world.userIds(offset)) {
    if (page.length >= limit) break;
    const person = world.shown(id);
    if (person) page.push(person);
  }
  return page;
}

/** People in whom the words occur; `search` is in lower case. */
export function matching(people: Iterable<Person>, search: string): Person[] {
  return [...people].filter((person) => searchedOf(person).includes(search));
}

/** What a search looks at, in lower case. */
function searchedOf({ id, profile }: Person): string {
  const { email, firstName, lastName, given_name, family_name } = profile;
  return [id, email, firstName, lastName, given_name, family_name].filter(Boolean).join(' ').toLowerCase();
}

function* rowsOf<T>(
  people: Iterable<Person>,
  rows: (person: Person) => T[],
  matches: (row: T) => boolean,
): Generator<T> {
  for (const person of people) for (const row of rows(person)) if (matches(row)) yield row;
}

function sameWord(wanted: string | undefined, word: string): boolean {
  return wanted === undefined || wanted.toLowerCase() === word.toLowerCase();
}

/** Lets so many requests begin within any second as the switch says. */
function createLimiter(switches: SesamySwitches): () => boolean {
  let begun: number[] = [];
  return () => {
    const now = performance.now();
    begun = begun.filter((at) => now - at < 1_000);
    if (switches.rps > 0 && begun.length >= switches.rps) return false;
    if (switches.rps > 0) begun.push(now);
    return true;
  };
}

function refuseTooMany(reply: FastifyReply): FastifyReply {
  const refusal = new Refusal(429, 'rate_limited', 'Too many requests');
  return reply.code(429).header('retry-after', '1').send(refusal.body());
}

function unknownCall({ method, url }: FastifyRequest): Refusal {
  const path = url.split('?')[0];
  const known =
    /^\/management\/(users|contracts|entitlements|bills|transactions|products|vendors|customers|access-lists|domains|paywalls)\b/;
  const why = url.startsWith('/management/management')
    ? 'The base address is without /management.'
    : known.test(url)
      ? 'The stand-in does not imitate this call, or it is undocumented.'
      : 'No source documents this call.';
  return new Refusal(404, 'not_found', `${method} ${path}: ${why}`, true);
}

/** What fastify itself refuses: a body that is no JSON or too large. */
function parserRefusal(error: unknown): Refusal {
  const status = error instanceof Error && 'statusCode' in error ? Number(error.statusCode) : 500;
  if (!(error instanceof Error) || status >= 500) {
    console.error('The stand-in of Sesamy failed:', error);
    return new Refusal(500, 'internal_error', 'Something went wrong');
  }
  return new Refusal(status, 'validation_error', error.message, true);
}
