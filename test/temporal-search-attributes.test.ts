import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import type { Connection } from '@temporalio/client';
import { msToTs } from '@temporalio/common/lib/time.js';
import {
  checkSearchAttributes,
  ensureSearchAttributes,
  type SearchAttributeConnection,
  SearchAttributeError,
} from '../src/temporal/search-attributes.js';
import { freshNamespace, sharedTemporal } from './support/temporal.js';

const names = ['SesamyVendor', 'SyncState', 'FailureType', 'FailedAt', 'LifecycleStage', 'NextDueAt', 'AddressKey'];

describe('search attributes', () => {
  let connection: Connection;

  before(async () => {
    ({ connection } = await sharedTemporal());
  });

  async function bareNamespace(): Promise<string> {
    const namespace = `bare-${randomUUID()}`;
    const workflowExecutionRetentionPeriod = msToTs('1 day');
    await connection.workflowService.registerNamespace({ namespace, workflowExecutionRetentionPeriod });
    return namespace;
  }

  /** The same connection, but with an operator service that refuses, as on Temporal Cloud or without the permission. */
  function refusing(...methods: ('listSearchAttributes' | 'addSearchAttributes')[]): SearchAttributeConnection {
    const refuse = () => {
      const refusal = { code: 7, details: 'Request unauthorized.', metadata: {} };
      return Promise.reject(Object.assign(new Error('7 PERMISSION_DENIED: Request unauthorized.'), refusal));
    };
    const operatorService = new Proxy(connection.operatorService, {
      get: (service, name) =>
        methods.some((method) => method === name) ? refuse : Reflect.get(service, name, service),
    });
    const { workflowService } = connection;
    return {
      operatorService,
      workflowService,
      withDeadline: (deadline, call) => connection.withDeadline(deadline, call),
    };
  }

  it('are added once, can be used at once, and a second time is nothing', async () => {
    const namespace = await bareNamespace();
    assert.deepEqual(await ensureSearchAttributes(connection, namespace), names);
    const query = 'SyncState = "failed" AND FailedAt > "2020-01-01T00:00:00Z" AND SesamyVendor = "acme"';
    await connection.workflowService.countWorkflowExecutions({ namespace, query });
    assert.deepEqual(await ensureSearchAttributes(refusing('addSearchAttributes'), namespace), []);
  });

  it('are compared without changing anything', async () => {
    const namespace = await bareNamespace();
    await connection.operatorService.addSearchAttributes({
      namespace,
      searchAttributes: { SyncState: 3, FailedAt: 6 },
    });
    const expected = [
      { name: 'SesamyVendor', expected: 'KEYWORD', found: undefined },
      { name: 'SyncState', expected: 'KEYWORD', found: 'INT' },
      { name: 'FailureType', expected: 'KEYWORD', found: undefined },
      { name: 'FailedAt', expected: 'DATETIME', found: 'DATETIME' },
      { name: 'LifecycleStage', expected: 'KEYWORD', found: undefined },
      { name: 'NextDueAt', expected: 'DATETIME', found: undefined },
      { name: 'AddressKey', expected: 'KEYWORD_LIST', found: undefined },
    ];
    assert.deepEqual(await checkSearchAttributes(connection, namespace), expected);
    assert.deepEqual(await checkSearchAttributes(connection, namespace), expected);
  });

  it('of another type are reported with the commands that mend it, and nothing is added', async () => {
    const namespace = await bareNamespace();
    await connection.operatorService.addSearchAttributes({ namespace, searchAttributes: { SyncState: 3 } });
    await assert.rejects(ensureSearchAttributes(connection, namespace), (error) => {
      assert.ok(error instanceof SearchAttributeError);
      assert.deepEqual(error.message.split('\n'), [
        `The namespace ${namespace} has search attributes of another type (SyncState is Int, not Keyword); use another namespace, or, if nobody else needs them, run:`,
        `temporal operator search-attribute remove --namespace ${namespace} --name SyncState`,
        `temporal operator search-attribute create --namespace ${namespace} --name SyncState --type Keyword`,
      ]);
      return true;
    });
    const checks = await checkSearchAttributes(connection, namespace);
    assert.deepEqual(
      checks.filter(({ found }) => found !== undefined).map(({ name }) => name),
      ['SyncState'],
    );
  });

  it('that may not be added are reported with the commands that add them', async () => {
    const namespace = await bareNamespace();
    await connection.operatorService.addSearchAttributes({
      namespace,
      searchAttributes: { SesamyVendor: 2, SyncState: 2, FailureType: 2, LifecycleStage: 2 },
    });
    await assert.rejects(ensureSearchAttributes(refusing('addSearchAttributes'), namespace), (error) => {
      assert.ok(error instanceof SearchAttributeError);
      assert.deepEqual(error.message.split('\n'), [
        `The namespace ${namespace} lacks search attributes and this program may not register them; on Temporal Cloud add them in the namespace's settings, elsewhere run:`,
        `temporal operator search-attribute create --namespace ${namespace} --name FailedAt --type Datetime`,
        `temporal operator search-attribute create --namespace ${namespace} --name NextDueAt --type Datetime`,
        `temporal operator search-attribute create --namespace ${namespace} --name AddressKey --type KeywordList`,
      ]);
      return true;
    });
  });

  describe('where the operator service is closed', () => {
    const closed = () => refusing('listSearchAttributes', 'addSearchAttributes');

    it('are found by asking with a query', async () => {
      const namespace = await freshNamespace();
      assert.deepEqual(await ensureSearchAttributes(closed(), namespace), []);
    });

    it('are missed by asking with a query', async () => {
      const namespace = await bareNamespace();
      const checks = await checkSearchAttributes(closed(), namespace);
      assert.ok(checks.every(({ found }) => found === undefined));
      await assert.rejects(ensureSearchAttributes(closed(), namespace), SearchAttributeError);
    });
  });

  it('of a namespace that does not exist are an error of Temporal, not of the attributes', async () => {
    await assert.rejects(
      checkSearchAttributes(connection, 'nowhere'),
      (error) => !(error instanceof SearchAttributeError),
    );
  });
});
