export { envExample } from './env-example.js';
export { loadEnvFile } from './env-file.js';
export { type LoadOptions, loadConfig } from './load.js';
export { ConfigError, type Mistake } from './mistakes.js';
export { type Setting, type SettingGroup, settingTable } from './settings.js';
export * from './types.js';
