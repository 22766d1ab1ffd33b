import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface FakeIndex {
  /** As in `PIP_INDEX_URL`. */
  url: string;
  /** Path and credentials of every request. */
  requests: { path: string; authorization: string | undefined }[];
  close(): Promise<void>;
}

/** A Python package index that has one file, in either of the two documented forms. */
export async function fakeIndex(options: {
  packageName: string;
  file: string;
  content: Buffer;
  form?: 'json' | 'html';
  /** Hang up after this many bytes of the file, every time. */
  cutAfter?: number;
}): Promise<FakeIndex> {
  const { packageName, file, content, form = 'json', cutAfter } = options;
  const requests: FakeIndex['requests'] = [];
  const answer: RequestListener = (request, response) => {
    requests.push({ path: request.url ?? '', authorization: request.headers.authorization });
    if (request.url === `/simple/${packageName}/` && form === 'json') {
      response.setHeader('content-type', 'application/vnd.pypi.simple.v1+json');
      response.end(JSON.stringify({ files: [{ filename: file, url: `../../files/${file}`, hashes: {} }] }));
    } else if (request.url === `/simple/${packageName}/`) {
      response.setHeader('content-type', 'text/html');
      response.end(`<!DOCTYPE html><a href="other.whl">other</a><a href="../../files/${file}#sha256=00">${file}</a>`);
    } else if (request.url === `/files/${file}`) {
      response.setHeader('content-length', content.length);
      if (cutAfter === undefined) response.end(content);
      else response.write(content.subarray(0, cutAfter), () => response.destroy());
    } else {
      response.writeHead(404).end();
    }
  };
  const server = createServer(answer).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/simple`,
    requests,
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
