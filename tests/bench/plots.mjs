// How the plots bear a long run: trains a tiny network, at full speed, past a million recorded steps, and prints frames
// per second and the longest task of the page while nobody touches it, while the pointer reads the curves, while
// they are zoomed and panned, and while the smoothing is dragged.
//
//   node tests/bench/plots.mjs [--preset mlp-moons] [--steps 1000000] [--seconds 4] [--realtime] [--profile FILE]
//
// It takes the site in dist/ (or --dist), without the headers that threads need. A second core must be free; on a machine
// at work --realtime puts the browser before everything else. --profile writes what the page did as a CPU profile.
import { writeFileSync } from 'node:fs';
import { loadavg } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { ROOT, launch } from '../e2e/lib/chrome.mjs';
import { serve } from '../e2e/lib/server.mjs';
import { pinned } from './pin.mjs';
import { visitor } from './visitor.mjs';

const { values: given } = parseArgs({
  options: {
    preset: { type: 'string', default: 'mlp-moons' },
    steps: { type: 'string', default: '1000000' },
    seconds: { type: 'string', default: '4' },
    dist: { type: 'string', default: join(ROOT, 'dist') },
    profile: { type: 'string' },
    realtime: { type: 'boolean', default: false },
  },
});
const ms = Number(given.seconds) * 1000;
const wanted = Number(given.steps);

/** In the page: begins to count frames and long tasks. */
function begin() {
  const tasks = [];
  const observer = new PerformanceObserver((list) => tasks.push(...list.getEntries().map((e) => e.duration)));
  observer.observe({ type: 'longtask' });
  const began = performance.now();
  const seen = { frames: 0, widest: 0, last: began, on: true };
  const count = (now) => {
    if (!seen.on) return;
    seen.frames += 1;
    seen.widest = Math.max(seen.widest, now - seen.last);
    seen.last = now;
    requestAnimationFrame(count);
  };
  requestAnimationFrame(count);
  globalThis.benchEnd = () => {
    seen.on = false;
    const took = (performance.now() - began) / 1000;
    tasks.push(...observer.takeRecords().map((e) => e.duration));
    observer.disconnect();
    return { framesPerSecond: seen.frames / took, widestGapMs: seen.widest, longestTaskMs: Math.max(0, ...tasks), longTasks: tasks.length };
  };
}

const site = await serve(resolve(given.dist), { isolated: false });
const browser = await launch({ executable: (path) => pinned([path], { core: null, realtime: given.realtime }) });
try {
  const page = await visitor(browser);
  page.on('pageerror', (e) => console.error(String(e)));
  await page.goto(`${site.url}engine.html`);
  await page.evaluate(async (id) => {
    const spec = await nabla.preset(id);
    // Small batches and the most epochs there can be: it trains as long as it is watched.
    spec.train.batch_size = 8;
    spec.train.epochs = 1_000_000;
    localStorage.setItem('nabla.spec', JSON.stringify(JSON.stringify(spec)));
  }, given.preset);
  await page.goto(site.url);
  // The page's own reading: what it has recorded, not what the engine has done.
  const recorded = () => page.evaluate(() => Number(document.querySelector('[data-chart="0"]')?.getAttribute('aria-valuemax') ?? 0));
  await page.locator('[data-chart="0"]').waitFor({ timeout: 120_000 });
  await page.locator('.speed select').selectOption('0');
  const began = Date.now();
  for (let n = 0, said = 0; n < wanted; ) {
    await page.waitForTimeout(500);
    n = await recorded();
    if (n - said > 200_000) {
      said = n;
      console.error(`${n} steps after ${((Date.now() - began) / 1000).toFixed(0)} s`);
    }
  }
  const box = await page.locator('[data-chart="0"]').boundingBox();
  const at = (share) => [box.x + box.width * share, box.y + box.height / 2];
  const rows = {};
  const phase = async (name, act) => {
    const steps = await recorded();
    await page.evaluate(begin);
    const until = Date.now() + ms;
    for (let i = 0; Date.now() < until; i++) await act(i);
    const row = await page.evaluate(() => globalThis.benchEnd());
    rows[name] = { ...row, steps: (await recorded()) - steps };
    console.error(`${name.padEnd(10)} ${Object.entries(rows[name]).map(([k, v]) => `${k} ${v.toFixed(1)}`).join('  ')}  load ${loadavg()[0].toFixed(1)}`);
  };
  const client = await page.context().newCDPSession(page);
  if (given.profile) {
    await client.send('Profiler.enable');
    await client.send('Profiler.start');
  }
  // What looks inside the network asks for computes in the worker, and draws: that is another bench's.
  await page.locator('#tab-code').click();
  await page.evaluate(() => new Promise((done) => setTimeout(done, 1000)));
  await phase('watching', () => page.waitForTimeout(100));
  await phase('hovering', async (i) => {
    await page.mouse.move(...at(0.1 + 0.8 * Math.abs(((i / 60) % 2) - 1)));
    await page.waitForTimeout(8);
  });
  await page.mouse.move(...at(0.6));
  await phase('zooming', async (i) => {
    await page.mouse.wheel(0, i % 40 < 20 ? -120 : 120);
    await page.waitForTimeout(12);
  });
  for (let i = 0; i < 4; i++) await page.mouse.wheel(0, -200);
  await phase('panning', async (i) => {
    await page.mouse.wheel(i % 80 < 40 ? -60 : 60, 0);
    await page.waitForTimeout(12);
  });
  await page.mouse.wheel(0, -6000);
  await phase('closest', async (i) => {
    await page.mouse.wheel(i % 80 < 40 ? -60 : 60, 0);
    await page.waitForTimeout(12);
  });
  await page.locator('[data-chart="0"]').press('0');
  const slider = page.locator('.lossplot input[type=range]').first();
  await slider.focus();
  await phase('smoothing', async (i) => {
    await page.keyboard.press(i % 20 < 10 ? 'ArrowRight' : 'ArrowLeft');
    await page.waitForTimeout(30);
  });
  if (given.profile) {
    const { profile } = await client.send('Profiler.stop');
    writeFileSync(given.profile, JSON.stringify(profile));
  }
  console.log(JSON.stringify({ chrome: browser.version(), preset: given.preset, recorded: await recorded(), rows }, null, 1));
} finally {
  await browser.close();
  await site.close();
}
