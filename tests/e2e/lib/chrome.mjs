// Chrome, started the way the wasm tests start it.
import { existsSync, readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';

export const ROOT = fileURLToPath(new URL('../../..', import.meta.url));

const NAMES = ['google-chrome', 'google-chrome-stable', 'chromium', 'chromium-browser', 'chrome'];

function chromePath() {
  if (process.env.CHROME) return process.env.CHROME;
  const folders = process.env.PATH.split(delimiter);
  const found = NAMES.flatMap((name) => folders.map((folder) => join(folder, name))).find(existsSync);
  if (!found) throw new Error('no Chrome or Chromium on PATH; name one in $CHROME, or run `cargo xtask setup`');
  return found;
}

/**
 * Starts Chrome with a fresh profile; it can reach nothing but this machine. `executable` may put
 * another program in front of the browser's path.
 */
export function launch({ executable = (path) => path } = {}) {
  const webdriver = JSON.parse(readFileSync(join(ROOT, 'webdriver.json'), 'utf8'));
  return chromium.launch({
    executablePath: executable(chromePath()),
    args: [
      ...webdriver['goog:chromeOptions'].args,
      '--no-proxy-server',
      '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost',
    ],
  });
}
