/**
 * A program that runs an embedded Temporal server, to be ended in unkind ways by a test. Prints the server's process id first.
 * Arguments: executable, and what to do: `wait`, `throw` (an uncaught error), `exit` (without stopping the server).
 * On SIGINT it does what `start` does: some last work that needs the server, then an orderly stop.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { connectTemporal } from '../../src/temporal/connect.js';
import { startEmbeddedTemporal } from '../../src/temporal/embedded.js';

const [executable = '', ending] = process.argv.slice(2);
const server = await startEmbeddedTemporal({ executable, uiPort: false });

process.on('SIGINT', async () => {
  await delay(500);
  const { connection } = await connectTemporal({ TEMPORAL_ADDRESS: server.address }, { timeoutMs: 2_000 });
  console.log('still answers');
  await connection.close();
  await server.stop();
  console.log('stopped');
});

console.log(server.pid);
if (ending === 'throw') throw new Error('uncaught, on purpose');
if (ending === 'exit') process.exit(0);
