import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { eventually } from './support/eventually.js';
import { startLocalServer } from './support/local-server.js';
import { control } from './support/sesamy-api.js';

describe('the stand-in of Sesamy, run alone', function () {
  this.timeout(60_000);
  const started: ChildProcess[] = [];
  after(() => {
    for (const child of started) child.kill('SIGKILL');
  });

  function run(...args: string[]) {
    const child = spawn(process.execPath, ['--import', 'tsx', 'sandbox/sesamy/main.ts', ...args]);
    started.push(child);
    const output = { text: '' };
    child.stdout.on('data', (piece) => {
      output.text += piece;
    });
    child.stderr.on('data', (piece) => {
      output.text += piece;
    });
    return { child, output };
  }

  it('prints the settings under which it is reached, sends webhooks with the secret, and stops on SIGTERM', async () => {
    const receiver = await startLocalServer((_request, response) => response.writeHead(202).end());
    const options = ['--people', '7', '--vendor', 'weekly', '--webhook', receiver.url, '--webhook-secret', 'invented'];
    const { child, output } = run('--port', '0', ...options);
    await eventually(() => assert.match(output.text, /SESAMY_CLIENT_SECRET=/), { timeoutMs: 40_000 });
    const url = /SESAMY_API_URL=(\S+)/.exec(output.text)?.[1] ?? '';
    assert.match(output.text, /7 invented readers/);
    assert.match(output.text, /SESAMY_VENDOR_ID=weekly/);
    assert.match(output.text, new RegExp(`SESAMY_TOKEN_URL=${url}/oauth/token`));
    assert.deepEqual((await control(url, 'POST', '/announce')).body, { webhooks: 7 });
    await eventually(() => assert.equal(receiver.seen.length, 7));
    assert.equal(receiver.seen[0]?.headers.authorization, 'Bearer invented');
    child.kill('SIGTERM');
    assert.deepEqual(await once(child, 'exit'), [0, null]);
    await receiver.close();
  });

  it('says what is wrong with an option', async () => {
    const { child, output } = run('--people', 'many');
    const [code] = await once(child, 'close');
    assert.equal(code, 1);
    assert.match(output.text, /--people.*Not a whole number/);
  });
});
