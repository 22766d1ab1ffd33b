import { type Config, settingTable } from '../config/index.js';
import { type Check, type Finding, look } from './doctor-checks.js';

/** The webhook's secret, and whether a server answers on this machine. */
export async function checkWebhook(config: Config): Promise<Check[]> {
  return [...config.vendors.map(secret), await look('Webhook server', () => server(config))];
}

function secret({ id, webhookSecrets }: Config['vendors'][number]): Check {
  const check = `Webhook secret, ${id}`;
  if (webhookSecrets.length > 0) {
    const shortest = Math.min(...webhookSecrets.map(({ length }) => length));
    return { check, result: 'ok', detail: `${webhookSecrets.length} set, of at least ${shortest} characters` };
  }
  const meaning = settingTable.find(({ variable }) => variable === 'WEBHOOK_SECRET')?.meaning ?? '';
  return {
    check,
    result: 'failed',
    detail: 'none is set, so no webhook can be taken',
    mend: `set WEBHOOK_SECRET: ${meaning}`,
  };
}

async function server({ webhook }: Config): Promise<Finding | string> {
  const { host, port } = webhook;
  if (port === 0) return { result: 'note', detail: 'not looked for: PORT is 0, so its port is not known' };
  const name = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host;
  const url = `http://${name.includes(':') ? `[${name}]` : name}:${port}`;
  try {
    const { ok } = await fetch(`${url}/healthz`, { signal: AbortSignal.timeout(2_000) });
    if (ok) return `answers at ${url}`;
  } catch {
    // Said below: that nothing answers is no failure of this command.
  }
  return {
    result: 'note',
    detail: `none answers at ${url}; right if it runs elsewhere or not yet (\`sesamy-rule webhook\`)`,
  };
}
