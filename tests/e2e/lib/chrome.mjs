// The browser: Chrome, started the way the wasm tests start it, or Firefox where $NABLA_BROWSER
// says so.
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium, firefox } from 'playwright-core';

export const ROOT = fileURLToPath(new URL('../../..', import.meta.url));

const NAMES = ['google-chrome', 'google-chrome-stable', 'chromium', 'chromium-browser', 'chrome'];

/** Whether the tests run in Firefox. */
export const FIREFOX = process.env.NABLA_BROWSER === 'firefox';

/** Firefox as its makers ship it, over WebDriver BiDi, which needs no driver. */
function launchFirefox() {
  // This Playwright sets media features for every page, which Firefox ESR 153 does not know yet: it
  // gets a question without consequence instead. To go when ESR has the command.
  const { ws } = createRequire(import.meta.url)('playwright-core/lib/utilsBundle');
  const { send } = ws.prototype;
  ws.prototype.send = function (text, ...rest) {
    const unknown = typeof text === 'string' && text.includes('"emulation.setMediaFeaturesOverride"');
    const sent = unknown ? JSON.stringify({ id: JSON.parse(text).id, method: 'session.status', params: {} }) : text;
    return send.call(this, sent, ...rest);
  };
  return firefox.launch({
    channel: 'moz-firefox',
    executablePath: process.env.FIREFOX ?? '/usr/bin/firefox-esr',
    firefoxUserPrefs: {
      // It asks its makers for this and that when it starts; it shall reach nothing here.
      'network.proxy.type': 1,
      'network.proxy.http': '127.0.0.1',
      'network.proxy.http_port': 9,
      'network.proxy.ssl': '127.0.0.1',
      'network.proxy.ssl_port': 9,
      'network.proxy.no_proxies_on': '127.0.0.1,localhost',
    },
  });
}

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
  if (FIREFOX) return launchFirefox();
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
