// The first visit: what the page shows and does before anything is pressed.
import assert from 'node:assert/strict';
import { e2e } from './lib/harness.mjs';
import { controls, enter, phase, run, trained } from './lib/page.mjs';

e2e('the page opens on the digits and trains by itself to 97 %', { timeout: 110_000 }, async ({ page, shot }) => {
  assert.match(await page.title(), /Nabla/);
  await trained(page, 500);
  assert.match(await page.title(), /Nabla ∇ · a deep-learning playground/);
  assert.equal(await page.locator('html').getAttribute('lang'), 'en');
  await page.waitForFunction(
    () => parseFloat(document.querySelector('.headline .first dd')?.textContent) >= 97,
    undefined,
    { timeout: 60_000 },
  );
  assert.equal(await page.locator('.headline .first dt').textContent(), 'test accuracy');
  const size = await page.locator('.headline .first dd').evaluate((e) => parseFloat(getComputedStyle(e).fontSize));
  assert.ok(size >= 24, `the accuracy is written at ${size} px`);

  const { info, loss, val } = await run(page);
  const mean = (list) => list.reduce((a, b) => a + b) / list.length;
  assert.equal(info.spec.name, 'digits-mlp');
  assert.ok(mean(loss.slice(-50)) < mean(loss.slice(0, 50)) / 4, `${mean(loss.slice(0, 50))} → ${mean(loss.slice(-50))}`);
  assert.ok(loss.every(Number.isFinite));
  assert.ok(val.at(-1).accuracy > 0.9);
  await shot('first-visit');
});

e2e('all its epochs done, the page offers more of them', async ({ page }) => {
  await trained(page);
  await page.locator('.speed select').selectOption('0');
  await phase(page, 'finished');
  const { info, step } = await run(page);
  assert.equal(step.length, info.spec.train.epochs * info.stepsPerEpoch);
  await page.locator('.speed select').selectOption('100');
  await controls(page).play.click();
  await trained(page, step.length + 3);
  assert.deepEqual((await run(page)).step.slice(0, step.length + 3), [...step, step.length, step.length + 1, step.length + 2]);
});

e2e('an address may name the network', { path: '#preset=mlp-xor' }, async ({ page, url }) => {
  await trained(page, 10);
  assert.equal((await run(page)).info.spec.name, 'mlp-xor');
  assert.equal(await page.getByLabel('Network from the tutorials').inputValue(), 'mlp-xor');
  await page.evaluate(() => (location.hash = '#preset=mlp-moons'));
  await page.waitForFunction(() => nabla.current()?.info.spec.name === 'mlp-moons');
  assert.equal(page.url(), `${url}#preset=mlp-moons`);
});

e2e('the network at hand is there again on the next visit', async ({ page, url }) => {
  await trained(page);
  await page.getByLabel('Network from the tutorials').selectOption('mlp-xor');
  await page.waitForFunction(() => nabla.current()?.info.spec.name === 'mlp-xor');
  const units = page.locator('[data-layer="fc1"]').getByLabel('Units');
  await enter(units, '5');
  await page.waitForFunction(() => JSON.parse(JSON.parse(localStorage['nabla.spec'] ?? '"null"'))?.layers[0].units === 5);
  assert.equal(await page.locator('.edited').textContent(), 'edited');
  // An edited network is no preset, so the address names none.
  await page.waitForFunction(() => !location.hash);
  await page.goto(url);
  await trained(page);
  assert.equal((await run(page)).info.spec.layers[0].units, 5);
});
