// What is changed while it trains: some of it reaches the run at hand, the rest asks for another.
import assert from 'node:assert/strict';
import { e2e } from './lib/harness.mjs';
import { another, controls, enter, phase, run, slowly, trained } from './lib/page.mjs';

/** Waits until the newest step was trained at this rate. */
async function trainsAt(page, rate) {
  await page.waitForFunction((r) => Math.abs((nabla.current()?.history().metrics.learningRate.at(-1) ?? 0) / r - 1) < 1e-4, rate);
}

const rateField = (page) => page.locator('.slider', { hasText: 'Learning rate' });

e2e('the learning rate reaches the run between two steps', async ({ page }) => {
  await slowly(page);
  await trained(page, 5);
  const before = await run(page);
  await enter(rateField(page).locator('input.number'), '0.02');
  await trainsAt(page, 0.02);
  const after = await run(page);
  assert.equal(after.id, before.id);
  assert.deepEqual(after.loss.slice(0, before.loss.length), before.loss);
  assert.ok(after.step.every((s, i) => s === i));
  assert.ok(after.step.length > before.step.length);
  await phase(page, 'training');

  // The slider by keys: the same run again, at another rate.
  const slider = rateField(page).locator('input[type="range"]');
  await slider.press('ArrowLeft');
  await page.waitForFunction(() => {
    const r = nabla.current().history().metrics.learningRate.at(-1);
    return r < 0.0199 && r > 0.01;
  });
  assert.equal((await run(page)).id, before.id);

  // Undone, it goes back without a reload.
  await page.getByRole('button', { name: 'Undo' }).click();
  await page.waitForFunction((n) => nabla.current().history().metrics.learningRate.slice(n).at(-1) > 0, before.step.length);
  assert.equal((await run(page)).id, before.id);
});

e2e('L2 and more epochs leave the run as it is', async ({ page }) => {
  await slowly(page);
  const { id } = await run(page);
  await enter(page.getByRole('textbox', { name: 'Epochs' }), '70');
  await page.getByText('Schedule, clipping, regularisation').click();
  await enter(page.getByLabel('L2'), '0.001');
  await page.waitForFunction(() => JSON.parse(JSON.parse(localStorage['nabla.spec'] ?? '"{}"')).train?.l2 === 0.001);
  const { length } = (await run(page)).step;
  await trained(page, length + 10);
  assert.equal((await run(page)).id, id);
  await phase(page, 'training');
});

e2e('another optimizer is another run, with the settings of its own', async ({ page }) => {
  await slowly(page);
  await trained(page, 5);
  const before = await run(page);
  await page.getByLabel('Optimizer').selectOption('sgd');
  await another(page, before.id);
  const { info } = await run(page);
  assert.equal(info.spec.train.optimizer.kind, 'sgd');
  assert.ok('momentum' in info.hyper && !('beta1' in info.hyper));
  await page.getByText('SGD settings').click();
  await page.getByLabel('Momentum').waitFor();
  assert.equal(await page.getByLabel('Beta 1').count(), 0);
  await trained(page, 5);
  assert.equal((await run(page)).step[0], 0);
});

e2e('a number that cannot be used is refused where it stands', async ({ page }) => {
  await slowly(page);
  const batch = page.getByLabel('Batch size');
  await enter(batch, '0');
  await phase(page, 'blocked');
  assert.equal(await batch.getAttribute('aria-invalid'), 'true');
  assert.ok((await page.locator('.setup').getByRole('alert').first().innerText()).length > 10);
  await enter(batch, 'many');
  assert.equal(await batch.inputValue(), '0');
  await enter(batch, '64');
  await page.waitForFunction(() => nabla.current()?.info.batchSize === 64);
  await trained(page, 5);
});

e2e('a rate far too large diverges, and the page says so', async ({ page, shot }) => {
  await slowly(page, 20);
  await page.getByLabel('Network from the tutorials').selectOption('linreg-3x2');
  await page.waitForFunction(() => nabla.current()?.info.spec.name === 'linreg-3x2');
  await enter(rateField(page).locator('input.number'), '9');
  await page.locator('.speed select').selectOption('0');
  const said = page.locator('.notices [role="alert"]');
  await said.waitFor();
  assert.match(await said.innerText(), /diverged at step \d+, first in the outputs of “linear”.*Lower the learning rate/s);
  await page.locator('[data-layer="linear"]').getByText('Diverged here').waitFor();
  await shot('diverged');
  await enter(rateField(page).locator('input.number'), '0.01');
  await controls(page).play.click();
  await said.waitFor({ state: 'detached' });
  await page.getByText('Diverged here').waitFor({ state: 'detached' });
  await trained(page, 20);
  assert.ok((await run(page)).loss.every(Number.isFinite));
});

e2e('another split or another source is another run', async ({ page }) => {
  await trained(page);
  const before = await run(page);
  await page.getByRole('slider', { name: 'Test set' }).press('ArrowRight');
  await another(page, before.id);
  const split = await run(page);
  assert.ok(split.info.data.test > before.info.data.test);
  assert.match(await page.locator('.facts').innerText(), new RegExp(`${split.info.data.test} to test`));
  await page.getByLabel('Source').selectOption('iris');
  await page.waitForFunction(() => nabla.current()?.info.data.train < 200);
  const { info } = await run(page);
  assert.equal(info.data.classes.length, 3);
  assert.equal(info.layers.at(-1).shape[0], 3);
  await trained(page, 20);
});
