import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  connectTemporal,
  createClient,
  nativeConnectTemporal,
  TemporalUnreachableError,
} from '../src/temporal/connect.js';
import { freePort } from '../src/temporal/ports.js';
import { freshNamespace, sharedTemporal } from './support/temporal.js';

describe('connecting to Temporal', () => {
  let address: string;
  let namespace: string;

  before(async () => {
    ({ address } = await sharedTemporal());
    namespace = await freshNamespace();
  });

  const connectors = [
    { kind: 'client', connect: connectTemporal },
    { kind: 'worker', connect: nativeConnectTemporal },
  ];

  for (const { kind, connect } of connectors) {
    describe(`as a ${kind}`, () => {
      it('goes by the SDK’s environment variables', async () => {
        const connected = await connect({ TEMPORAL_ADDRESS: address, TEMPORAL_NAMESPACE: namespace });
        try {
          assert.equal(connected.address, address);
          assert.equal(connected.namespace, namespace);
          const client = createClient(connected);
          assert.equal((await client.workflow.count('SyncState = "failed"')).count, 0);
        } finally {
          await connected.connection.close();
        }
      });

      it('says in one sentence that nobody answers, and where', async () => {
        const closed = `127.0.0.1:${await freePort('127.0.0.1')}`;
        await assert.rejects(connect({ TEMPORAL_ADDRESS: closed }, { timeoutMs: 300 }), (error) => {
          assert.ok(error instanceof TemporalUnreachableError);
          assert.equal(error.address, closed);
          assert.equal(
            error.message,
            `Temporal does not answer at ${closed} (tried for 0.3 s); start it there, or set TEMPORAL_ADDRESS (and TEMPORAL_TLS_… or TEMPORAL_API_KEY where it wants them).`,
          );
          return true;
        });
      });

      it('says that the namespace is not there', async () => {
        await assert.rejects(connect({ TEMPORAL_ADDRESS: address, TEMPORAL_NAMESPACE: 'elsewhere' }), {
          name: 'TemporalUnreachableError',
          message: `Temporal at ${address} has no namespace elsewhere; make it (\`temporal operator namespace create elsewhere\`) or set TEMPORAL_NAMESPACE.`,
        });
      });
    });
  }

  it('gives up on somebody who accepts and says nothing', async () => {
    const sockets: Socket[] = [];
    const silent: Server = createServer((socket) => sockets.push(socket)).listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const { port } = silent.address() as AddressInfo;
    try {
      await assert.rejects(
        nativeConnectTemporal({ TEMPORAL_ADDRESS: `127.0.0.1:${port}` }, { timeoutMs: 300 }),
        TemporalUnreachableError,
      );
    } finally {
      for (const socket of sockets) socket.destroy();
      silent.close();
    }
  });

  it('does not take a proxy of the environment to a server on this machine', async () => {
    const before = process.env.http_proxy;
    process.env.http_proxy = `http://127.0.0.1:${await freePort('127.0.0.1')}`;
    try {
      const { connection } = await connectTemporal({ TEMPORAL_ADDRESS: address }, { timeoutMs: 2_000 });
      await connection.close();
    } finally {
      if (before === undefined) delete process.env.http_proxy;
      else process.env.http_proxy = before;
    }
  });

  describe('by a profile file', () => {
    let folder: string;
    let file: string;

    before(async () => {
      folder = await mkdtemp(join(tmpdir(), 'sesamy-rule-profile-'));
      file = join(folder, 'temporal.toml');
      await writeFile(
        file,
        `[profile.mine]\naddress = "${address}"\nnamespace = "${namespace}"\n` +
          '[profile.secured]\naddress = "127.0.0.1:1"\n[profile.secured.tls]\nclient_cert_path = "/missing/client.pem"\nclient_key_path = "/missing/client.key"\n',
      );
    });

    after(() => rm(folder, { recursive: true, force: true }));

    it('takes address and namespace from it', async () => {
      const connected = await connectTemporal({ TEMPORAL_CONFIG_FILE: file, TEMPORAL_PROFILE: 'mine' });
      await connected.connection.close();
      assert.deepEqual([connected.address, connected.namespace], [address, namespace]);
    });

    it('says what is wrong with it', async () => {
      await assert.rejects(connectTemporal({ TEMPORAL_CONFIG_FILE: file, TEMPORAL_PROFILE: 'yours' }), {
        name: 'TemporalSettingsError',
        message: /^The Temporal settings cannot be used: .*yours.*; check TEMPORAL_… and the profile file\.$/,
      });
      await assert.rejects(connectTemporal({ TEMPORAL_CONFIG_FILE: file, TEMPORAL_PROFILE: 'secured' }), {
        name: 'TemporalSettingsError',
        message: /missing\/client\.(pem|key)/,
      });
    });
  });
});
