import { parseArgs } from 'node:util';
import { startRuleSandbox } from './index.js';

const usage =
  'node dist/sandbox/rule/main.js [--host 127.0.0.1] [--port 4002] [--key rule-sandbox-key] [--data file.json]';

/** The stand-in alone, until Ctrl-C. */
async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      host: { type: 'string', default: '127.0.0.1' },
      port: { type: 'string', default: '4002' },
      key: { type: 'string' },
      data: { type: 'string' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) return console.log(usage);
  const port = Number(values.port);
  if (!Number.isInteger(port) || port < 0 || port > 65535) throw new Error(`--port is no port number\n${usage}`);
  const sandbox = await startRuleSandbox({ host: values.host, port, apiKey: values.key, dataFile: values.data });
  console.log(`Rule stand-in
  RULE_API_URL=${sandbox.url}
  RULE_API_KEY=${sandbox.apiKey}
  page         ${sandbox.pageUrl}
Ctrl-C stops it${values.data ? ` and keeps its data in ${values.data}` : ''}.`);
  await new Promise<void>((resolve) => {
    process.once('SIGINT', resolve);
    process.once('SIGTERM', resolve);
  });
  await sandbox.close();
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
