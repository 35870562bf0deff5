// The builds of the engine: which one a run gets, that they agree, and how the site comes to be
// isolated on a host that sends no headers.
import assert from 'node:assert/strict';
import { cpus } from 'node:os';
import { e2e } from './lib/harness.mjs';
import { trained } from './lib/page.mjs';

const engine = { path: 'engine.html', timeout: 120_000 };
const isolated = { ...engine, isolated: true };
const oneCore = cpus().length < 2;

/** Losses of a few steps of a convolutional network, and what the run says of itself. */
const train = (page, options = {}, strict = false) =>
  page.evaluate(
    async ([options, strict]) => {
      const spec = await nabla.preset('digits-cnn');
      spec.train.strict = strict;
      const run = await nabla.load(spec, options);
      const { build, threads } = run.info;
      await run.train({ steps: 12 });
      const loss = run.history().loss;
      await run.dispose();
      return { build, threads, loss };
    },
    [options, strict],
  );

/** The largest relative difference. */
const apart = (a, b) => Math.max(...a.map((v, i) => Math.abs(v - b[i]) / Math.abs(v)));

e2e('without isolation a run gets relaxed SIMD and one thread', { ...engine, firefox: false }, async ({ page }) => {
  const hello = await page.evaluate(() => nabla.ready);
  assert.deepEqual([hello.cpu.relaxedSimd, hello.cpu.threads], [true, 1]);
  const run = await train(page);
  assert.deepEqual([run.build, run.threads], ['relaxed', 1]);
});

e2e('an isolated page has threads, as many as asked for, with the same losses', isolated, async ({ page }) => {
  if (oneCore) return;
  const hello = await page.evaluate(() => nabla.ready);
  assert.equal(hello.cpu.threads, cpus().length);
  const all = await train(page);
  assert.deepEqual([all.build, all.threads], ['threads', Math.min(8, cpus().length)]);
  const two = await train(page, { threads: 2 });
  assert.deepEqual([two.build, two.threads], ['threads', 2]);
  assert.deepEqual(two.loss, all.loss);
  const one = await train(page, { threads: 1 });
  assert.deepEqual([one.build, one.threads], ['relaxed', 1]);
  assert.ok(apart(one.loss, all.loss) < 1e-4, `${one.loss} and ${all.loss}`);
});

e2e('strict arithmetic is that of the plain build, wherever it is asked for', isolated, async ({ page }) => {
  const plain = await train(page, { build: 'plain' });
  const strict = await train(page, {}, true);
  assert.deepEqual([plain.build, strict.build], ['plain', 'plain']);
  assert.deepEqual(strict.loss, plain.loss);
  const fast = await train(page);
  assert.ok(apart(fast.loss, plain.loss) < 1e-4, `${fast.loss} and ${plain.loss}`);
});

e2e('a checkpoint of a strict run goes on in the plain build', isolated, async ({ page }) => {
  const builds = await page.evaluate(async () => {
    const spec = await nabla.preset('mlp-moons');
    spec.train.strict = true;
    const run = await nabla.load(spec);
    await run.train({ steps: 5 });
    const next = await nabla.resume(await run.checkpoint());
    return [run.info.build, next.info.build, next.info.step];
  });
  assert.deepEqual(builds, ['plain', 'plain', 5]);
});

e2e('several runs train side by side on threads', isolated, async ({ page }) => {
  const losses = await page.evaluate(async () => {
    const spec = await nabla.preset('digits-cnn');
    const runs = await Promise.all([1, 2, 3].map(() => nabla.load(spec, { seed: 5 })));
    await Promise.all(runs.map((run) => run.train({ steps: 6 })));
    return runs.map((run) => run.history().loss);
  });
  assert.deepEqual(losses[1], losses[0]);
  assert.deepEqual(losses[2], losses[0]);
});

e2e('the page says which build it is, and changes it with the spec', { isolated: true, timeout: 120_000 }, async ({ page }) => {
  await trained(page, 3);
  const tip = () => page.locator('.readout .backend').getAttribute('title');
  const before = await page.evaluate(() => nabla.current().info.build);
  assert.match(await tip(), new RegExp(`“${before}”`));
  await page.evaluate(() => (globalThis.earlier = nabla.current().info.run));
  const more = page.locator('details.more', { has: page.getByLabel('Strict arithmetic') });
  if (!(await more.evaluate((d) => d.open))) await more.locator('summary').click();
  await page.getByLabel('Strict arithmetic').check();
  await page.waitForFunction(() => nabla.current()?.info.build === 'plain' && nabla.current().history().step.length > 2);
  assert.match(await tip(), /“plain”/);
});

e2e('a build that does not start gives way to the next', { ...isolated, path: null, allow: [/did not start/, /404/, /Failed to load/] }, async ({ page, context, url }) => {
  await context.route('**/trainer-threads_bg.wasm', (route) => route.fulfill({ status: 404, body: '' }));
  await page.goto(`${url}engine.html`);
  const run = await train(page);
  assert.equal(run.build, 'relaxed');
});

const visit = { ...engine, context: { serviceWorkers: 'allow' }, firefox: false };
e2e('the service worker isolates the next visit', visit, async ({ page }) => {
  if (oneCore) return;
  assert.equal(await page.evaluate(() => crossOriginIsolated), false);
  await page.evaluate(async () => {
    await nabla.ready;
    const { active } = await navigator.serviceWorker.ready;
    if (active.state !== 'activated') {
      await new Promise((resolve) => {
        active.onstatechange = () => active.state === 'activated' && resolve();
      });
    }
    globalThis.before = true;
  });
  // It reloads nothing by itself.
  assert.equal(await page.evaluate(() => globalThis.before), true);
  await page.reload();
  assert.equal(await page.evaluate(() => crossOriginIsolated), true);
  const run = await train(page, { threads: 2 });
  assert.deepEqual([run.build, run.threads], ['threads', 2]);
});

e2e('the service worker stays away from who does not want it', visit, async ({ page }) => {
  await page.evaluate(() => localStorage.setItem('nabla-isolation', 'off'));
  await page.reload();
  const known = await page.evaluate(async () => {
    await nabla.ready;
    await import('./isolate.js');
    return (await navigator.serviceWorker.getRegistrations()).length;
  });
  assert.equal(known, 0);
});
