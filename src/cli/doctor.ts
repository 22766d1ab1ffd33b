import type { Command } from 'commander';
import { type Config, ConfigError, loadConfig } from '../config/index.js';
import { openVendors } from '../vendors.js';
import { type Check, failed } from './doctor-checks.js';
import { checkTemporal } from './doctor-temporal.js';
import { checkVendor } from './doctor-vendor.js';
import { checkWebhook } from './doctor-webhook.js';
import { dataFolderOf, environment, findRunning } from './environment.js';
import { command } from './options.js';
import { answer, type OutputOptions, table } from './output.js';

/** `doctor`: is everything as it must be, and what mends it. */
export function doctorCommand(): Command {
  return command('doctor', 'check the settings, Temporal, the workers and both accounts; says what mends each fault', [
    ['sesamy-rule doctor', 'before going live, and whenever something looks wrong; changes nothing'],
    ['sesamy-rule doctor --json', 'for monitoring: exit code 1 when a check failed'],
  ]).action(doctor);
}

async function doctor(options: OutputOptions): Promise<void> {
  const checks = await examine();
  const count = (result: Check['result']) => checks.filter((check) => check.result === result).length;
  const ok = count('failed') === 0;
  answer(options, { ok, checks }, () => [
    table(
      ['check', 'result', 'what was found'],
      checks.map((check) => [check.check, check.result, check.detail]),
    ),
    ...checks.flatMap(({ check, mend }) => (mend ? [`${check}:`, ...mend.split('\n').map((line) => `  ${line}`)] : [])),
    (['ok', 'note', 'warning', 'failed'] as const).map((result) => `${result} ${count(result)}`).join(' · '),
  ]);
  if (!ok) process.exitCode = 1;
}

/** Every check, also when earlier ones fail. */
async function examine(): Promise<Check[]> {
  const { env, config, checks } = settings();
  const vendors = openVendors(config?.vendors ?? []);
  try {
    const [temporal, accounts, webhook] = await Promise.all([
      checkTemporal(
        env,
        vendors.all.map(({ id }) => id),
      ),
      Promise.all(vendors.all.map(checkVendor)),
      config && !config.sandbox ? checkWebhook(config) : [],
    ]);
    return [...checks, ...temporal, ...accounts.flat(), ...webhook];
  } finally {
    await vendors.close();
  }
}

interface Settings {
  env: NodeJS.ProcessEnv;
  config?: Config;
  checks: Check[];
}

function settings(): Settings {
  let env = process.env;
  try {
    env = environment();
    // The webhook's secret has a check of its own.
    const config = loadConfig(env, { webhook: false });
    return { env, config, checks: [...running(env), overview(config)] };
  } catch (error) {
    if (!(error instanceof ConfigError)) return { env, checks: [failed('Settings', error)] };
    const checks = error.mistakes.map(({ variable, problem, mend }): Check => {
      return { check: `Setting ${variable}`, result: 'failed', detail: problem, mend };
    });
    return {
      env,
      checks: [
        ...checks,
        { check: 'Both accounts', result: 'note', detail: 'not checked: the settings cannot be used' },
      ],
    };
  }
}

function running(env: NodeJS.ProcessEnv): Check[] {
  const found = findRunning(dataFolderOf(env));
  if (!found) return [];
  return [
    {
      check: 'start',
      result: 'note',
      detail: `runs on this data folder (process ${found.pid}); its addresses are used`,
    },
  ];
}

function overview({ sandbox, vendors }: Config): Check {
  if (!sandbox)
    return { check: 'Settings', result: 'ok', detail: `complete for ${vendors.map(({ id }) => id).join(', ')}` };
  const detail = 'no credentials are set: sandbox mode, in which `sesamy-rule start` brings stand-ins of both vendors';
  return { check: 'Settings', result: 'note', detail };
}
