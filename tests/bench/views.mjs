// What the look inside costs: trains a preset on one thread with three views open beside one another, and with none
// that asks the run for anything (the tab Code), by turns, and prints steps per second, frames per second and
// the longest task of the page.
//
//   node tests/bench/views.mjs [--preset cnn-pytorch] [--views weights,activations,gradients] [--rounds 4]
//                              [--seconds 6]
//
// It takes the site in dist/, without the headers that threads need. A second core must be free: on a machine at
// work the figures say little.
import { loadavg } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { ROOT, launch } from '../e2e/lib/chrome.mjs';
import { serve } from '../e2e/lib/server.mjs';
import { visitor } from './visitor.mjs';

const { values: given } = parseArgs({
  options: {
    preset: { type: 'string', default: 'cnn-pytorch' },
    views: { type: 'string', default: 'weights,activations,gradients' },
    rounds: { type: 'string', default: '4' },
    seconds: { type: 'string', default: '6' },
  },
});
const views = given.views.split(',');
const seconds = Number(given.seconds);

/** In the page: frames, tasks and steps of so many seconds. */
async function watch(ms) {
  const tasks = [];
  const observer = new PerformanceObserver((list) => tasks.push(...list.getEntries().map((e) => e.duration)));
  observer.observe({ type: 'longtask' });
  const steps = () => nabla.current().history().step.length;
  const [from, began] = [steps(), performance.now()];
  let frames = 0;
  let widest = 0;
  for (let last = began, now = began; now - began < ms; frames += 1) {
    now = await new Promise(requestAnimationFrame);
    widest = Math.max(widest, now - last);
    last = now;
  }
  const took = (performance.now() - began) / 1000;
  observer.disconnect();
  return { framesPerSecond: frames / took, widestGapMs: widest, longestTaskMs: Math.max(0, ...tasks), longTasks: tasks.length, stepsPerSecond: (steps() - from) / took };
}

const median = (v) => [...v].sort((a, b) => a - b)[Math.floor(v.length / 2)];
const site = await serve(join(ROOT, 'dist'), { isolated: false });
const browser = await launch();
try {
  const page = await visitor(browser);
  // So many epochs that it trains as long as it is watched.
  await page.goto(`${site.url}engine.html`);
  await page.evaluate(async (id) => {
    const spec = await nabla.preset(id);
    spec.train.epochs = 10_000;
    localStorage.setItem('nabla.spec', JSON.stringify(JSON.stringify(spec)));
  }, given.preset);
  await page.goto(site.url);
  await page.waitForFunction(() => (globalThis.nabla?.current()?.history().step.length ?? 0) > 5, null, { timeout: 120_000 });
  await page.locator('.speed select').selectOption('0');
  const tab = (id) => page.locator(`#tab-${id}`);
  const pin = page.locator('.look-pin');
  const open = async () => {
    for (const id of views) {
      await tab(id).click();
      if ((await page.locator('.look-pin.on').count()) === 0 && id !== views.at(-1)) await pin.click();
    }
    await page.waitForFunction((n) => document.querySelectorAll('.look-panel .view').length === n, views.length);
  };
  const close = async () => {
    await tab('code').click();
    for (let n; (n = await page.locator('.look-head button').count()) > 0; ) {
      await page.locator('.look-head button').first().click();
      await page.waitForFunction((before) => document.querySelectorAll('.look-head button').length < before, n);
    }
  };
  const rows = { open: [], closed: [] };
  for (let round = 0; round < Number(given.rounds); round++) {
    for (const [name, prepare] of [['closed', close], ['open', open]]) {
      await prepare();
      await page.evaluate(watch, 1500); // what opening costs is past
      const row = await page.evaluate(watch, seconds * 1000);
      rows[name].push(row);
      console.error(`${name.padEnd(7)} ${Object.entries(row).map(([k, v]) => `${k} ${v.toFixed(1)}`).join('  ')}  load ${loadavg()[0].toFixed(1)}`);
    }
  }
  const of = (name, key) => rows[name].map((r) => r[key]);
  console.log(
    JSON.stringify(
      {
        chrome: browser.version(),
        preset: given.preset,
        views,
        framesPerSecond: median(of('open', 'framesPerSecond')),
        longestTaskMs: Math.max(...of('open', 'longestTaskMs')),
        slowerBy: 1 - median(of('open', 'stepsPerSecond')) / median(of('closed', 'stepsPerSecond')),
        rows,
      },
      null,
      1,
    ),
  );
} finally {
  await browser.close();
  await site.close();
}
