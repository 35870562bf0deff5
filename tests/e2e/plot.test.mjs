// The curves: axes, read-out, zoom, kept runs, files.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { e2e } from './lib/harness.mjs';
import { another, enter, pause, phase, run, slowly, trained } from './lib/page.mjs';

const box = (page, n = 0) => page.locator('.plot-box').nth(n);
const at = (page) => page.locator('.plot-at').textContent();
const number = (text) => Number(text.replaceAll(',', '').match(/-?[\d.]+/)?.[0]);
const legend = (page, n = 0) => page.locator('.plot-figure').nth(n).locator('.plot-key');

/** The steps between which a chart's read-out moves: its first and its last. */
async function span(page) {
  const ends = [];
  for (const key of ['Home', 'End']) {
    await box(page).press(key);
    ends.push(Number(await box(page).getAttribute('aria-valuenow')));
  }
  await box(page).press('Escape');
  return ends;
}

/** Puts the read-out at step 0. */
async function toStart(page) {
  await box(page).press('Home');
  await page.waitForFunction(() => document.querySelector('.plot-box').getAttribute('aria-valuenow') === '0');
}

/** A run of a few epochs, at rest. */
async function atRest(page) {
  await trained(page, 100);
  await page.locator('.controls button').first().click();
  await phase(page, 'paused');
}

e2e('the read-out of all curves is what the run recorded', { timeout: 90_000 }, async ({ page }) => {
  await atRest(page);
  const { loss } = await run(page);
  assert.deepEqual(await page.locator('.plot-name').evaluateAll((all) => all.map((e) => e.selectedOptions?.[0].text ?? e.textContent)), ['Loss', 'Accuracy', 'Learning rate', 'Gradient norm']);
  await page.locator('.plot-slider input').fill('0');
  await toStart(page);
  await box(page).press('PageUp');
  await page.waitForFunction(() => document.querySelector('.plot-box').getAttribute('aria-valuenow') !== '0');
  const step = number(await at(page));
  assert.ok(step > 0 && step < loss.length);
  assert.ok(Math.abs(number(await legend(page, 0).first().innerText()) - loss[step]) < 0.006 * Math.abs(loss[step]));
  assert.match(await legend(page, 1).first().innerText(), /%/);
});

e2e('by epoch: the mean over the samples of each epoch', { timeout: 90_000 }, async ({ page }) => {
  await atRest(page);
  const { loss, info } = await run(page);
  await page.locator('.plot-axis').selectOption('epoch');
  assert.deepEqual(await span(page), [1, Math.floor(loss.length / info.stepsPerEpoch)]);
  await box(page).press('Home');
  const tail = info.data.train - (info.stepsPerEpoch - 1) * info.batchSize;
  const sums = loss.slice(0, info.stepsPerEpoch).map((v, i) => v * (i === info.stepsPerEpoch - 1 ? tail : info.batchSize));
  const mean = sums.reduce((a, b) => a + b) / info.data.train;
  await page.waitForFunction(() => document.querySelector('.plot-at').textContent === 'epoch 1');
  const shown = number(await legend(page, 0).first().innerText());
  assert.ok(Math.abs(shown - mean) < 0.006 * mean, `${shown} is not ${mean}`);
});

e2e('zoom and pan by mouse, wheel and keys', { context: { viewport: { width: 1440, height: 900 } }, timeout: 90_000 }, async ({ page }) => {
  await atRest(page);
  const whole = await span(page);
  const all = page.getByRole('button', { name: 'Show all' });
  assert.equal(await all.count(), 0);
  const b = await box(page).boundingBox();
  await page.mouse.move(b.x + b.width * 0.5, b.y + b.height / 2);
  await page.mouse.down();
  await page.mouse.move(b.x + b.width * 0.7, b.y + b.height / 2, { steps: 4 });
  await page.mouse.up();
  await all.waitFor();
  const dragged = await span(page);
  assert.ok(dragged[0] > whole[1] * 0.3 && dragged[1] < whole[1] * 0.85, `${dragged}`);
  await box(page).press('Shift+ArrowRight');
  await box(page).press('Shift+ArrowRight');
  const panned = await span(page);
  assert.ok(panned[0] > dragged[0] && Math.abs(panned[1] - panned[0] - (dragged[1] - dragged[0])) <= 2, `${panned}`);
  await page.mouse.move(b.x + b.width * 0.6, b.y + b.height / 2);
  await page.mouse.wheel(0, -240);
  await page.waitForFunction(() => true);
  const closer = await span(page);
  assert.ok(closer[1] - closer[0] < panned[1] - panned[0], `${closer}`);
  await box(page).press('-');
  await box(page).press('0');
  await all.waitFor({ state: 'detached' });
  assert.deepEqual(await span(page), whole);
  await box(page).press('+');
  await all.click();
  await all.waitFor({ state: 'detached' });
});

const phone = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true };
e2e('two fingers zoom, one leaves the page to scroll', { context: phone, firefox: false, timeout: 90_000 }, async ({ page, context }) => {
  await atRest(page);
  const whole = await span(page);
  assert.match(await box(page).locator('canvas').evaluate((e) => getComputedStyle(e).touchAction), /^pan-y$/);
  const cdp = await context.newCDPSession(page);
  await box(page).scrollIntoViewIfNeeded();
  const b = await box(page).boundingBox();
  const touch = (type, ...xs) => cdp.send('Input.dispatchTouchEvent', { type, touchPoints: xs.map((x, id) => ({ x: b.x + x, y: b.y + b.height / 2, id })) });
  await touch('touchStart', 150, 200);
  for (const d of [10, 25, 50, 80]) await touch('touchMove', 150 - d, 200 + d);
  await touch('touchEnd');
  await page.getByRole('button', { name: 'Show all' }).waitFor();
  const pinched = await span(page);
  assert.ok(pinched[1] - pinched[0] < (whole[1] - whole[0]) * 0.6, `${pinched} of ${whole}`);
});

e2e('runs that are kept are named by their differences, hidden, renamed and removed', { context: { viewport: { width: 1440, height: 900 } }, timeout: 120_000 }, async ({ page }) => {
  await slowly(page, 300);
  await trained(page, 60);
  await pause(page);
  const first = await run(page);
  await page.getByRole('button', { name: 'Keep', exact: true }).click();
  const runs = page.locator('.plot-runs li');
  await runs.nth(1).waitFor();
  assert.deepEqual(await runs.allInnerTexts(), ['this run', 'run 1']);
  await enter(page.getByRole('textbox', { name: 'Batch size' }), '16');
  await another(page, first.id);
  await page.waitForFunction(() => /batch size 16/.test(document.querySelector('.plot-runs li').innerText));
  assert.deepEqual(await runs.allInnerTexts(), ['this run · batch size 16', `run 1 · batch size ${first.info.batchSize}`]);
  // The curve that was kept is that of the first run, value by value.
  await page.locator('.plot-slider input').fill('0');
  await toStart(page);
  const kept = legend(page).filter({ hasText: 'run 1' });
  assert.ok(Math.abs(number((await kept.innerText()).replace('run 1', '')) - first.loss[0]) < 0.006 * first.loss[0]);
  await runs.nth(1).getByRole('button', { name: 'run 1 · batch size' }).first().click();
  await kept.waitFor({ state: 'detached' });
  await runs.nth(1).locator('.plot-run').press('Enter');
  await kept.waitFor();
  await runs.nth(1).getByRole('button', { name: /^Rename/ }).click();
  await enter(runs.nth(1).getByRole('textbox'), 'large batches');
  await page.waitForFunction(() => document.querySelectorAll('.plot-runs li')[1].innerText.trim() === 'large batches');
  await runs.nth(1).getByRole('button', { name: /^Remove/ }).click();
  await page.locator('.plot-runs').waitFor({ state: 'detached' });
});

e2e('the curves are saved as CSV, PNG and SVG', { timeout: 120_000, firefox: false }, async ({ page }) => {
  await atRest(page);
  const { loss, step } = await run(page);
  const save = async (name) => {
    const file = page.waitForEvent('download');
    await page.locator('.plot-save').getByRole('button', { name, exact: true }).click();
    const download = await file;
    return { name: download.suggestedFilename(), bytes: readFileSync(await download.path()) };
  };
  const csv = await save('CSV');
  assert.equal(csv.name, 'nabla-history.csv');
  const [head, ...rows] = `${csv.bytes}`.trim().split('\n').map((l) => l.split(','));
  assert.deepEqual(head.slice(0, 6), ['step', 'epoch', 'loss', 'accuracy', 'gradNorm', 'learningRate']);
  assert.equal(rows.length, step.length);
  assert.ok(rows.every((r, i) => Math.fround(Number(r[2])) === loss[i]));
  await page.waitForFunction(() => !document.querySelector('.plot-save button').disabled);
  const svg = await save('SVG');
  assert.equal(svg.name, 'nabla-curves.svg');
  const parsed = await page.evaluate((text) => {
    const doc = new DOMParser().parseFromString(text, 'image/svg+xml');
    const numbers = [...doc.querySelectorAll('path')].flatMap((p) => p.getAttribute('d').match(/[A-Za-z][^A-Za-z]*/g) ?? []);
    return { fault: doc.querySelector('parsererror')?.textContent ?? null, texts: [...doc.querySelectorAll('text')].map((t) => t.textContent), points: numbers.length, bad: /NaN|undefined|Infinity/.test(text) };
  }, `${svg.bytes}`);
  assert.equal(parsed.fault, null);
  assert.ok(!parsed.bad && parsed.points > 400, JSON.stringify(parsed));
  for (const word of ['Loss', 'Accuracy', 'Learning rate', 'Gradient norm', 'Step', 'train']) assert.ok(parsed.texts.includes(word), word);
  await page.waitForFunction(() => !document.querySelector('.plot-save button').disabled);
  const png = await save('PNG');
  assert.equal(png.name, 'nabla-curves.png');
  assert.deepEqual([...png.bytes.subarray(0, 4)], [0x89, 0x50, 0x4e, 0x47]);
});
