import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { noQuery, parseBody, parseQuery } from './checks.js';
import type { Context } from './context.js';
import { keyProblem } from './field-schema.js';
import { invalid, notFound } from './refusal.js';
import { pageOf, v2Paging } from './v2-paging.js';
import { fieldTypes } from './values.js';
import { wireGroup } from './wire.js';

const createSchema = z.strictObject({
  fields: z.array(z.strictObject({ key: z.string(), type: z.enum(fieldTypes).optional() })).min(1),
});

/** v2 field schema (rule-api §3). It cannot say that a group is historical. */
export function v2Customizations(app: FastifyInstance, { account }: Context): void {
  app.post('/customizations', (request) => {
    parseQuery(noQuery, request);
    const { fields } = parseBody(createSchema, request.body);
    for (const [index, { key, type }] of fields.entries()) {
      const problem = keyProblem(key);
      if (problem) throw invalid(`fields.${index}.key`, problem);
      const known = account.schema.byKey(key)?.field.type;
      if (known && type && known !== type)
        throw invalid(`fields.${index}.type`, `The field ${key} has the type ${known}.`);
    }
    for (const { key, type } of fields) {
      const [group = '', field = ''] = key.split('.');
      account.schema.ensureField(
        account.schema.ensureGroup(group, false, account.now()),
        field,
        type ?? 'text',
        account.now(),
      );
    }
    return { message: 'Success' };
  });

  app.get('/customizations', (request) => {
    const { items, meta } = pageOf(request, parseQuery(v2Paging, request), account.schema.groups);
    return { groups: items.map((group) => wireGroup(account, group)), meta };
  });

  app.get<{ Params: { identifier: string } }>('/customizations/:identifier', (request) => {
    parseQuery(noQuery, request);
    const group = account.schema.group(request.params.identifier);
    if (!group) throw notFound('Group');
    return wireGroup(account, group);
  });
}
