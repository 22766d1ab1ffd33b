import { type Config, ConfigError, type LoadOptions, loadConfig } from '../config/index.js';
import { checkTemporalSettings, TemporalSettingsError } from '../temporal/connect.js';

/** The program's settings and Temporal's: whatever is wrong with either is told at once. @throws ConfigError, TemporalSettingsError */
export function readSettings(env: NodeJS.ProcessEnv, options: LoadOptions = {}): Config {
  const ofTemporal = caught(() => checkTemporalSettings(env));
  try {
    const config = loadConfig(env, options);
    if (ofTemporal) throw ofTemporal;
    return config;
  } catch (error) {
    if (!(error instanceof ConfigError && ofTemporal instanceof TemporalSettingsError)) throw error;
    const mistake = { variable: 'TEMPORAL_…', problem: 'cannot be used', mend: ofTemporal.message };
    throw new ConfigError([...error.mistakes, mistake]);
  }
}

function caught(check: () => void): unknown {
  try {
    check();
    return undefined;
  } catch (error) {
    return error;
  }
}
