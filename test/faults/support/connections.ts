/** Connections to a vendor that a test can refuse one by one, as a host without a server does, or break all at once, as a death does. */
import { createServer } from 'node:net';
import { Agent, Dispatcher } from 'undici';

export class Connections extends Dispatcher {
  private readonly agent = new Agent();
  private readonly refused = new Set<number>();
  /** Requests that were begun. */
  count = 0;

  private constructor(private readonly nobody: string) {
    super();
  }

  static async create(): Promise<Connections> {
    return new Connections(await addressOfNobody());
  }

  /** The request with this number, counted from 0 at the beginning, finds nobody who listens. */
  refuse(number: number): void {
    this.refused.add(number);
  }

  override dispatch(options: Agent.DispatchOptions, handler: Dispatcher.DispatchHandler): boolean {
    const isRefused = this.refused.delete(this.count);
    this.count += 1;
    return this.agent.dispatch(isRefused ? { ...options, origin: this.nobody } : options, handler);
  }

  /** Breaks what is under way; no further request leaves. */
  override destroy(): Promise<void> {
    return this.agent.destroy();
  }
}

let nobody: Promise<string> | undefined;

/** Where nobody listens: a port that was free a moment ago. */
function addressOfNobody(): Promise<string> {
  nobody ??= new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(`http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`));
    });
  });
  return nobody;
}
