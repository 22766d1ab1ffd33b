/** Listening ports of this machine. */
import { connect, createServer } from 'node:net';

/** A port that nobody listens on now; the caller has to be ready for somebody else being faster. */
export function freePort(host: string): Promise<number> {
  return listenBriefly(host, 0);
}

/** Whether a program could listen on this port now. Throws if the host is not an address of this machine. */
export async function isPortFree(host: string, port: number): Promise<boolean> {
  try {
    await listenBriefly(host, port);
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'EADDRINUSE' || error.code === 'EACCES'))
      return false;
    throw error;
  }
}

/** Whether something accepts connections on this port. */
export function isListening(host: string, port: number): Promise<boolean> {
  return new Promise((settle) => {
    const socket = connect({ host, port, timeout: 1_000 });
    const answer = (listening: boolean) => () => {
      socket.destroy();
      settle(listening);
    };
    socket.once('connect', answer(true)).once('error', answer(false)).once('timeout', answer(false));
  });
}

function listenBriefly(host: string, port: number): Promise<number> {
  return new Promise((settle, fail) => {
    const server = createServer();
    server.once('error', fail);
    server.listen({ host, port, exclusive: true }, () => {
      const address = server.address();
      const bound = typeof address === 'object' && address !== null ? address.port : port;
      server.close(() => settle(bound));
    });
  });
}
