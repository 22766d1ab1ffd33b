export { createWebhookServer, type WebhookDeps } from './server.js';
