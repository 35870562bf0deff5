// Train, Pause, Step, Start over, speed.
import assert from 'node:assert/strict';
import { e2e } from './lib/harness.mjs';
import { atRest, controls, pause, phase, run, slowly, trained } from './lib/page.mjs';

const consecutive = (steps) => steps.every((s, i) => s === i);

e2e('Pause rests, Train goes on from there', async ({ page }) => {
  const { play } = controls(page);
  await slowly(page);
  await trained(page, 10);
  await pause(page);
  const before = await run(page);
  assert.equal(await play.textContent(), 'Train');
  await atRest(page);
  assert.equal((await run(page)).step.length, before.step.length);

  await play.click();
  await phase(page, 'training');
  assert.equal(await play.textContent(), 'Pause');
  await trained(page, before.step.length + 10);
  await pause(page);
  const after = await run(page);
  assert.equal(after.id, before.id);
  assert.ok(consecutive(after.step), 'a step is lost or comes twice');
  assert.deepEqual(after.loss.slice(0, before.loss.length), before.loss);
});

e2e('Step adds one step, also when all epochs are done', async ({ page }) => {
  const { step } = controls(page);
  await slowly(page);
  await trained(page, 3);
  await pause(page);
  let { length } = (await run(page)).step;
  for (let i = 0; i < 3; i++) {
    await step.click();
    await trained(page, ++length);
    await atRest(page);
    assert.equal((await run(page)).step.length, length);
    await phase(page, 'paused');
  }
  assert.ok(consecutive((await run(page)).step));

  await page.locator('.speed select').selectOption('0');
  await controls(page).play.click();
  await phase(page, 'finished');
  const { step: all } = await run(page);
  await step.click();
  await trained(page, all.length + 1);
  await atRest(page);
  assert.equal((await run(page)).step.length, all.length + 1);
});

e2e('Step while it trains brings it to rest', async ({ page }) => {
  await slowly(page);
  await trained(page, 3);
  await controls(page).step.click();
  await phase(page, 'paused');
});

e2e('Start over goes back to step 0 and the same first losses', async ({ page }) => {
  const { reset } = controls(page);
  await slowly(page);
  await trained(page, 20);
  await pause(page);
  const before = await run(page);
  await reset.click();
  await page.waitForFunction(() => nabla.current().history().step.length === 0);
  await phase(page, 'paused');
  await atRest(page);
  assert.equal((await run(page)).step.length, 0);
  assert.match(await page.locator('.readout').innerText(), /epoch 0/);

  await controls(page).play.click();
  await trained(page, 20);
  const after = await run(page);
  assert.ok(consecutive(after.step));
  assert.deepEqual(after.loss.slice(0, 20), before.loss.slice(0, 20));
});

e2e('Start over while it trains trains on from step 0', async ({ page }) => {
  await slowly(page);
  await trained(page, 60);
  const before = await run(page);
  await controls(page).reset.click();
  await page.waitForFunction(() => nabla.current().history().step.length < 50);
  await trained(page, 20);
  const after = await run(page);
  assert.ok(consecutive(after.step));
  assert.deepEqual(after.loss.slice(0, 20), before.loss.slice(0, 20));
  await phase(page, 'training');
});

e2e('the space key trains and pauses', async ({ page }) => {
  await slowly(page);
  await page.evaluate(() => document.activeElement.blur());
  await page.keyboard.press('Space');
  await phase(page, 'paused');
  await page.keyboard.press('Space');
  await phase(page, 'training');
});
