// What an end-to-end test is made of. One file per topic, `<topic>.test.mjs`:
//
//   import assert from 'node:assert/strict';
//   import { e2e } from './lib/harness.mjs';
//
//   e2e('the loss falls', async ({ page, shot }) => {
//     await page.getByRole('button', { name: 'train' }).click();
//     await shot('training');
//     assert.equal(await page.locator('h1').textContent(), 'Nabla');
//   });
//
// `node --test tests/e2e/<topic>.test.mjs` runs one file on the dist/ that is there;
// `cargo xtask test --only e2e <topic>` builds dist/ first.
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { FIREFOX, ROOT, launch } from './chrome.mjs';
import { serve } from './server.mjs';

const SHOTS = join(ROOT, 'tests/e2e/shots');

let browser;
const servers = new Map();

after(async () => {
  await browser?.close();
  for (const server of servers.values()) await (await server).close();
});

function siteServer(isolated) {
  const dist = join(ROOT, 'dist');
  if (!existsSync(join(dist, 'index.html'))) throw new Error('dist/ is not built: run `cargo xtask site`');
  if (!servers.has(isolated)) servers.set(isolated, serve(dist, { isolated }));
  return servers.get(isolated);
}

/**
 * The folder of a public data set (`mnist`, `cifar10`, `imdb`, `sklearn`) that is too large for
 * the repository, or null. They lie in `../shared/data`, or where `$NABLA_DATA` says.
 */
export function sharedData(name) {
  const folder = join(process.env.NABLA_DATA ?? join(ROOT, '../shared/data'), name);
  return existsSync(folder) ? folder : null;
}

/** Before a page loads: this is no first visit. Pages without an address have no storage. */
function seen() {
  try {
    localStorage.setItem('nabla.tour', '"seen"');
  } catch {}
}

/** Errors of pages and workers, and requests that leave this machine. */
function watch(context) {
  const problems = [];
  context.on('console', (message) => {
    if (message.type() !== 'error') return;
    const { url, lineNumber } = message.location();
    problems.push(`console: ${message.text()} (${url}:${lineNumber})`);
  });
  context.on('weberror', (error) => problems.push(`uncaught: ${error.error().stack ?? error.error()}`));
  context.on('request', (request) => {
    const url = new URL(request.url());
    const local = url.hostname === '127.0.0.1' || ['data:', 'blob:'].includes(url.protocol);
    if (!local) problems.push(`request to the outside: ${url}`);
  });
  context.on('page', (page) => page.on('crash', () => problems.push('the page crashed')));
  return problems;
}

/**
 * Defines a test in a fresh browser context. It fails on any console error, uncaught error, crash
 * or request that leaves 127.0.0.1, besides what `body` asserts.
 *
 * @param {string} name
 * @param {object} [options]
 * @param {string | null} [options.path] page to open, relative to the site; null opens none. Default: the site
 * @param {boolean} [options.isolated] serve with COOP/COEP, so that threads work. Default: false
 * @param {boolean} [options.firefox] runs in Firefox too, where that is asked for. Default: true
 * @param {string} [options.data] a data set it needs (see `sharedData`); skipped where absent
 * @param {RegExp[]} [options.allow] problems that this test provokes on purpose
 * @param {object} [options.context] Playwright's: viewport, locale, colorScheme, reducedMotion, hasTouch, …
 * @param {boolean} [options.first] a first visit, which is offered the tour
 * @param {number} [options.timeout] of the whole test, in ms. Default: 60 000
 * @param {(tools: {
 *   page: import('playwright-core').Page,
 *   context: import('playwright-core').BrowserContext,
 *   url: string, data: string | null, problems: string[],
 *   shot: (name: string) => Promise<void>,
 * }) => Promise<void>} body `url` is the site's address, `data` the folder asked for, `problems`
 *   what was seen so far; `shot` saves a screenshot in tests/e2e/shots
 */
export function e2e(name, options, body) {
  if (typeof options === 'function') [options, body] = [{}, options];
  const { path = '', isolated = false, allow = [], timeout = 60_000 } = options;
  const data = options.data ? sharedData(options.data) : null;
  const skip = FIREFOX && options.firefox === false ? 'not in Firefox' : options.data && !data ? `../shared/data/${options.data} is not there` : false;

  test(name, { skip, timeout }, async () => {
    const { url } = await siteServer(isolated);
    browser ??= await launch();
    // The service worker that isolates the site has tests of its own.
    const chrome = FIREFOX ? {} : { serviceWorkers: 'block' };
    const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...chrome, ...options.context });
    try {
      const problems = watch(context);
      if (!options.first) await context.addInitScript(seen);
      const page = await context.newPage();
      page.setDefaultTimeout(20_000);
      const shot = async (file) => {
        mkdirSync(SHOTS, { recursive: true });
        await page.screenshot({ path: join(SHOTS, `${file}.png`) });
      };
      if (path !== null) await page.goto(url + path);
      await body({ page, context, url, data, problems, shot });
      const unexpected = problems.filter((problem) => !allow.some((pattern) => pattern.test(problem)));
      if (unexpected.length) throw new Error(`the page had problems:\n${unexpected.join('\n')}`);
    } finally {
      await context.close();
    }
  });
}
