/** Reading a Python package index: where a file of a package is, and the file itself as a stream. */
import type { Readable } from 'node:stream';
import { EnvHttpProxyAgent, interceptors, request } from 'undici';

const defaultIndex = 'https://pypi.org/simple/';

/** A download that has begun. */
export interface Download {
  body: Readable;
  /** In bytes, where the server says it. */
  size: number | undefined;
}

/**
 * One package index: PyPI, or the mirror that `PIP_INDEX_URL` names (which may carry a user and a password). A proxy of the
 * environment (`HTTPS_PROXY`, `NO_PROXY`) is used. Nothing here is trusted: what is downloaded is checked by its pinned sha256.
 */
export class PackageIndex {
  readonly #index: URL;
  readonly #signal: AbortSignal | undefined;
  readonly #dispatcher = new EnvHttpProxyAgent({ connect: { timeout: 5_000 } }).compose(
    interceptors.redirect({ maxRedirections: 5 }),
    interceptors.retry({ maxRetries: 2 }),
  );

  /** Throws if `PIP_INDEX_URL` is no web address. */
  constructor(env: NodeJS.ProcessEnv, signal?: AbortSignal) {
    const index = env.PIP_INDEX_URL || defaultIndex;
    if (!/^https?:/.test(index) || !URL.canParse(index)) throw new Error('PIP_INDEX_URL is not a web address');
    this.#index = new URL(index.endsWith('/') ? index : `${index}/`);
    this.#signal = signal;
  }

  /** For messages: never the whole address, which may hold a password. */
  get host(): string {
    return this.#index.host;
  }

  /**
   * Where a file of a package is. Understands the index in JSON (PEP 691) and, since not every mirror has that, in HTML (PEP 503).
   * Throws if the index cannot be read or does not list the file.
   */
  async locate(packageName: string, file: string): Promise<URL> {
    const page = new URL(`${packageName}/`, this.#index);
    const { body, headers } = await this.#get(page, 'application/vnd.pypi.simple.v1+json, text/html;q=0.5');
    const text = await body.text();
    const link = String(headers['content-type']).includes('json') ? linkInJson(text, file) : linkInHtml(text, file);
    if (link === undefined) throw new Error(`${this.host} does not list ${file}`);
    return new URL(link, page);
  }

  /** Begins a download. Throws on an answer other than 200; the stream fails when nothing arrives for 30 s. */
  async open(url: URL): Promise<Download> {
    const { body, headers } = await this.#get(url, '*/*');
    const size = Number(headers['content-length']);
    return { body, size: Number.isFinite(size) ? size : undefined };
  }

  async close(): Promise<void> {
    await this.#dispatcher.close();
  }

  async #get(url: URL, accept: string) {
    const bare = new URL(url);
    bare.username = '';
    bare.password = '';
    const { username, password } = url.username === '' && url.origin === this.#index.origin ? this.#index : url;
    const credentials = Buffer.from(`${decodeURIComponent(username)}:${decodeURIComponent(password)}`).toString(
      'base64',
    );
    const answer = await request(bare, {
      dispatcher: this.#dispatcher,
      headers: username === '' ? { accept } : { accept, authorization: `Basic ${credentials}` },
      headersTimeout: 10_000,
      bodyTimeout: 30_000,
      signal: this.#signal ?? null,
    });
    if (answer.statusCode !== 200) {
      await answer.body.dump();
      throw new Error(`${bare.host} answered ${answer.statusCode}`);
    }
    return answer;
  }
}

function linkInJson(text: string, file: string): string | undefined {
  const page = JSON.parse(text) as { files?: { filename?: string; url?: string }[] };
  return page.files?.find(({ filename }) => filename === file)?.url;
}

function linkInHtml(text: string, file: string): string | undefined {
  return [...text.matchAll(/href="([^"#]+)/g)]
    .map(([, link]) => link)
    .find((link) => link?.endsWith(`/${file}`) || link === file);
}
