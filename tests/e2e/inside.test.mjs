// The look inside: gradients, evaluation, saliency.
import assert from 'node:assert/strict';
import { e2e } from './lib/harness.mjs';
import { another, card, layers, pause, run, shape, trained } from './lib/page.mjs';

/** Opens a view of the look inside by its id. */
async function open(page, id) {
  await page.locator(`#tab-${id}`).click();
  await page.locator('.look-panel .view').first().waitFor();
}

/** A number as the page writes it, without its sign for thousands. */
const number = (text) => Number(text.replaceAll(',', '').replace('−', '-').replace('e−', 'e-'));

e2e('gradients and updates of the next step', async ({ page, shot }) => {
  await trained(page, 30);
  await open(page, 'gradients');
  // It follows the training: a second look, a later step.
  const caption = page.locator('.gradients caption');
  const first = await caption.innerText();
  await page.waitForFunction((before) => document.querySelector('.gradients caption').innerText !== before, first);
  await page.locator('.spreads canvas').nth(1).waitFor();
  await shot('gradients');
  await pause(page);
  const step = (await page.evaluate(() => nabla.current().history().step.length)) + 1;
  await page.waitForFunction((n) => document.querySelector('.gradients caption').innerText.includes(`${n}`), step);
  const row = page.locator('.gradients tbody tr', { hasText: 'fc1.weight' });
  const shown = (await row.locator('td.figure').allInnerTexts()).map(number);
  // What it foretells happens.
  const before = await page.evaluate(async () => Array.from((await nabla.current().tensor('fc1.weight')).data));
  await page.locator('.controls button').nth(1).click();
  await page.waitForFunction((n) => nabla.current().history().step.length === n, step);
  const [after, gradient] = await page.evaluate(async () => {
    const r = nabla.current();
    return [Array.from((await r.tensor('fc1.weight')).data), Array.from((await r.tensor('grad:fc1.weight')).data)];
  });
  const norm = (v) => Math.hypot(...v);
  const want = [norm(gradient), norm(after.map((a, i) => a - before[i]))];
  want.push(want[1] / norm(before));
  shown.forEach((v, i) => assert.ok(Math.abs(v - want[i]) <= 0.006 * want[i], `${shown} and ${want}`));
  // A parameter is chosen by its button.
  await page.locator('.gradients button', { hasText: 'fc2.bias' }).click();
  await page.locator('.spreads code', { hasText: 'fc2.bias' }).first().waitFor();
  assert.ok((await page.locator('.numbers-table', { hasText: 'relu' }).locator('tbody tr').count()) >= 1);
});

/** The figure beside its name in a list of numbers. */
const fact = async (page, name) => number(await page.locator('.numbers > div', { has: page.locator('dt', { hasText: name }) }).locator('dd').first().innerText());

e2e('evaluation: cells open their samples, curves have a threshold to drag', async ({ page, shot }) => {
  await trained(page, 60);
  await pause(page);
  await open(page, 'evaluation');
  await page.locator('.curve canvas').nth(2).waitFor();
  await shot('evaluation');

  // A cell of the matrix shows as many samples as it counts.
  const cell = page.locator('.confusion tbody tr').nth(3).locator('td').nth(3).locator('button');
  const count = number(await cell.locator('.figure').first().innerText());
  await cell.click();
  assert.equal(await cell.getAttribute('aria-pressed'), 'true');
  const opened = page.locator('section.tensor .sample');
  await opened.first().waitFor();
  assert.equal(await opened.count(), Math.min(12, count));
  await cell.click();
  await opened.first().waitFor({ state: 'detached' });

  // The area under the curve, from the outputs themselves.
  await page.locator('.view-tools .pick', { hasText: 'positive class' }).locator('select').selectOption('8');
  const caption = page.locator('.curve figcaption').first();
  await page.waitForFunction(() => document.querySelector('.curve figcaption').innerText.includes('ROC of 8'));
  const shown = number((await caption.innerText()).split(' ').pop());
  const want = await page.evaluate(async () => {
    const r = nabla.current();
    const s = await r.samples('test', 0, 1e6);
    const out = await r.predict(s.x.data, s.x.shape);
    const p = out.data.filter((_, i) => i % 10 === 8);
    const { y } = s;
    let above = 0, pairs = 0;
    p.forEach((a, i) => p.forEach((b, j) => {
      if (y[i] === 8 && y[j] !== 8) { pairs++; above += a > b ? 1 : a === b ? 0.5 : 0; }
    }));
    return above / pairs;
  });
  assert.ok(Math.abs(shown - want) < 1e-3, `${shown} and ${want}`);

  // At threshold 0 everything is positive.
  const slider = page.locator('.threshold input');
  await slider.press('Home');
  await page.waitForFunction(() => document.querySelector('.threshold .figure').innerText === '0');
  assert.match(await page.locator('.numbers > div', { hasText: /^recall/ }).last().innerText(), /100/);

  // Mistakes: the largest loss first.
  const losses = (await page.locator('.samples').last().locator('.sample small.figure').allInnerTexts()).map((t) => number(t.replace('loss ', '')));
  assert.ok(losses.length > 0);
  assert.deepEqual(losses, losses.toSorted((a, b) => b - a));
});

e2e('saliency shares out the score', async ({ page, shot }) => {
  await trained(page, 60);
  await pause(page);
  await open(page, 'saliency');
  await page.locator('.saliency canvas').nth(2).waitFor();
  await shot('saliency');
  for (const choice of ['', '4']) {
    await page.locator('.view-tools .pick select').last().selectOption(choice);
    if (choice) await page.locator('.numbers dt', { hasText: `score for ${choice}` }).waitFor();
    const [score, blank, sum] = [await fact(page, 'score for'), await fact(page, 'score of a blank'), await fact(page, 'sum of')];
    assert.ok(Math.abs(score - blank - sum) < 0.03 * (1 + Math.abs(score) + Math.abs(blank)), `${score} − ${blank} and ${sum}`);
  }
});

e2e('the network is compared with that of the last run, and goes back to it', async ({ page, shot }) => {
  await trained(page);
  const steps = await page.evaluate(() => nabla.current().info.stepsPerEpoch);
  // An epoch is over, and the page has heard of it.
  await trained(page, steps + 5);
  await page.locator('.readout').waitFor();
  const { id } = await run(page);
  const before = await layers(page);
  const units = card(page, 'fc1').getByLabel('Units');
  const old = Number(await units.inputValue());
  await units.fill(`${old + 5}`);
  await units.press('Enter');
  await another(page, id);
  const panel = page.locator('.compare');
  await panel.waitFor();
  assert.match(await panel.locator('summary').innerText(), /One change since the last run · \+\d+ parameters/);
  await panel.locator('summary').click();
  assert.match(await panel.innerText(), new RegExp(`units ${old} → ${old + 5}`));
  assert.equal(await card(page, 'fc1').locator('.since').innerText(), 'changed');
  assert.equal(await page.locator('.since').count(), 1);
  await shot('compare');
  await panel.getByRole('button').click();
  await panel.waitFor({ state: 'detached' });
  assert.equal(Number(await units.inputValue()), old);
  await shape(page, before);
});

e2e('views stay open beside the next one until they are closed', { timeout: 90_000 }, async ({ page }) => {
  await trained(page, 10);
  const titles = () => page.locator('.look-panel h3').allTextContents();
  const pin = page.locator('.look-pin');
  await page.getByRole('tab', { name: 'Weights' }).click();
  await pin.click();
  assert.equal(await page.locator('.look-panel').count(), 1);
  await page.getByRole('tab', { name: 'Activations' }).click();
  await pin.click();
  await page.getByRole('tab', { name: 'Gradients' }).click();
  await page.waitForFunction(() => document.querySelectorAll('.look-panel .view').length === 3);
  assert.deepEqual(await titles(), ['Weights', 'Activations', 'Gradients']);
  const panels = await page.locator('.look-tabs [aria-controls]').evaluateAll((all) => all.map((tab) => document.getElementById(tab.getAttribute('aria-controls')).getAttribute('aria-labelledby') === tab.id));
  assert.deepEqual(panels, [true, true, true], 'each open tab names its panel, and the panel its tab');
  await page.getByRole('button', { name: 'Close Weights' }).press('Enter');
  await page.waitForFunction(() => document.querySelectorAll('.look-panel').length === 2);
  assert.deepEqual(await titles(), ['Activations', 'Gradients']);
  await page.getByRole('tab', { name: 'Activations' }).click();
  await page.waitForFunction(() => document.querySelectorAll('.look-panel').length === 1);
});
