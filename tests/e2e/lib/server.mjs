// A static host like the ones the site is made for: plain files, under a sub-path.
import { createReadStream, statSync } from 'node:fs';
import { createServer } from 'node:http';
import { extname, join, normalize, sep } from 'node:path';

const TYPES = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.mjs': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json',
  '.wasm': 'application/wasm',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.csv': 'text/csv; charset=utf-8',
  '.txt': 'text/plain; charset=utf-8',
  '.ts': 'text/plain; charset=utf-8',
  '.ftl': 'text/plain; charset=utf-8',
  '.webmanifest': 'application/manifest+json',
};

const ISOLATION = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
  'Cross-Origin-Resource-Policy': 'same-origin',
};

/**
 * Serves a folder on 127.0.0.1, on a free port.
 * @param {string} root the folder
 * @param {object} [options]
 * @param {string} [options.prefix] the sub-path, beginning and ending in a slash
 * @param {boolean} [options.isolated] whether to send the headers that threads need
 * @returns {Promise<{url: string, close: () => Promise<void>}>} the address of the folder
 */
export async function serve(root, { prefix = '/some/path/', isolated = false } = {}) {
  const fileOf = (url) => {
    const path = decodeURIComponent(new URL(url, 'http://localhost').pathname);
    if (!path.startsWith(prefix)) return null;
    const file = normalize(join(root, path.slice(prefix.length) || 'index.html'));
    const inside = file.startsWith(normalize(root) + sep);
    return inside && statSync(file, { throwIfNoEntry: false })?.isFile() ? file : null;
  };
  const server = createServer((request, response) => {
    const headers = { 'Cache-Control': 'no-cache', ...(isolated ? ISOLATION : {}) };
    const file = fileOf(request.url);
    if (!file) {
      response.writeHead(404, { ...headers, 'Content-Type': 'text/plain' }).end('not found');
      return;
    }
    const type = TYPES[extname(file)] ?? 'application/octet-stream';
    response.writeHead(200, { ...headers, 'Content-Type': type });
    createReadStream(file).pipe(response);
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${server.address().port}${prefix}`,
    close: () =>
      new Promise((resolve) => {
        server.close(resolve);
        server.closeAllConnections();
      }),
  };
}
