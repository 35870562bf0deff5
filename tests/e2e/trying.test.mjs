// Looking at the data, and trying the network on something of one's own.
import assert from 'node:assert/strict';
import { e2e } from './lib/harness.mjs';
import { enter, rest, run, shows, slowly, trained } from './lib/page.mjs';

/** Opens the page on a preset of a smaller size: a look at it is as good, and sooner there. */
async function smaller(page, url, id, change) {
  await page.goto(`${url}engine.html`);
  const spec = await page.evaluate(async (id) => nabla.preset(id), id);
  change(spec);
  await page.evaluate((text) => localStorage.setItem('nabla.spec', JSON.stringify(text)), JSON.stringify(spec));
  await page.goto(url);
  await shows(page, id);
}

const fewReviews = (spec) => {
  spec.data.source.samples = 200;
  Object.assign(spec.data.text, { words: 60, length: 40 });
  Object.assign(spec.layers[0], { vocab: 60, dim: 8 });
};

const fewShapes = (spec) => {
  spec.data.source.samples = 100;
  for (const layer of spec.layers) if (layer.filters) layer.filters = 2;
  spec.train.batch_size = 8;
};

const tab = async (page, id) => {
  await page.locator(`#tab-${id}`).click();
  await page.locator('.look-panel .view').first().waitFor();
};

const own = async (page) => {
  await tab(page, 'predictions');
  await page.getByText('Try something of your own').click();
  await page.locator('.try').waitFor();
};

/** Draws strokes, given as points in shares of the pad. */
async function draw(page, strokes) {
  const pad = page.locator('canvas.pad');
  await pad.scrollIntoViewIfNeeded();
  const box = await pad.boundingBox();
  const at = ([x, y]) => [box.x + x * box.width, box.y + y * box.height];
  for (const [first, ...rest] of strokes) {
    await page.mouse.move(...at(first));
    await page.mouse.down();
    for (const p of rest) await page.mouse.move(...at(p), { steps: 4 });
    await page.mouse.up();
  }
}

const probabilities = (page) => page.locator('.try-said .probability').evaluateAll((all) => all.map((e) => Number(e.title)));

e2e('a digit that is drawn gets its probabilities, live', { path: '#preset=digits-mlp', timeout: 120_000 }, async ({ page, shot }) => {
  await shows(page, 'digits-mlp');
  await own(page);
  await page.locator('.speed select').selectOption('0');
  await page.waitForFunction(() => (nabla.current()?.history().val.at(-1)?.accuracy ?? 0) > 0.93, undefined, { timeout: 90_000 });
  await draw(page, [[[0.5, 0.15], [0.5, 0.85]]]);
  await page.locator('.try-said .likeliest').waitFor();
  const p = await probabilities(page);
  assert.equal(p.length, 10);
  assert.ok(Math.abs(p.reduce((a, b) => a + b) - 1) < 1e-3, `${p}`);
  assert.ok(await page.getByText('As the network sees it').isVisible());
  await shot('drawn-digit');
  // The same stroke in a corner and half the size is the same digit.
  await page.getByRole('button', { name: 'Clear' }).click();
  await page.locator('.try-said').waitFor({ state: 'detached' });
  await draw(page, [[[0.12, 0.05], [0.12, 0.4]]]);
  await page.locator('.try-said .likeliest').waitFor();
});

e2e('a picture is chosen or dropped, not trained on', { path: null, firefox: false, timeout: 90_000 }, async ({ page, url }) => {
  await smaller(page, url, 'cifar-cnn', fewShapes);
  await trained(page);
  const { id } = await run(page);
  await own(page);
  const png = Buffer.from(await page.evaluate(async () => {
    const canvas = new OffscreenCanvas(60, 40);
    canvas.getContext('2d').fillRect(10, 10, 20, 20);
    return [...new Uint8Array(await (await canvas.convertToBlob()).arrayBuffer())];
  }));
  const [chooser] = await Promise.all([page.waitForEvent('filechooser'), page.getByRole('button', { name: 'Choose a picture' }).click()]);
  await chooser.setFiles({ name: 'mine.png', mimeType: 'image/png', buffer: png });
  await page.locator('.try-said .likeliest').waitFor();
  assert.equal((await probabilities(page)).length, 10);
  assert.equal((await run(page)).id, id);
  const [again] = await Promise.all([page.waitForEvent('filechooser'), page.getByRole('button', { name: 'Choose a picture' }).click()]);
  await again.setFiles({ name: 'mine.png', mimeType: 'image/png', buffer: Buffer.from('no picture') });
  await page.getByText('cannot be read as a picture').waitFor();
  await page.getByRole('button', { name: 'Clear' }).click();
  // Dropped on the section it is tried; dropped elsewhere it would be data.
  await page.evaluate((bytes) => {
    const data = new DataTransfer();
    data.items.add(new File([new Uint8Array(bytes)], 'dropped.png', { type: 'image/png' }));
    document.querySelector('.try').dispatchEvent(new DragEvent('drop', { bubbles: true, cancelable: true, dataTransfer: data }));
  }, [...png]);
  await page.locator('.try-said .likeliest').waitFor();
  assert.equal((await run(page)).id, id);
});

e2e('a text is typed; its words show what swayed the network', { path: null, timeout: 90_000 }, async ({ page, url, shot }) => {
  await smaller(page, url, 'imdb-conv1d', fewReviews);
  await trained(page);
  await rest(page);
  await own(page);
  const field = page.getByRole('textbox', { name: 'Write a text' });
  await field.waitFor();
  await field.fill('wonderful zzunheard');
  const words = page.locator('.try .saliency-words span');
  await page.waitForFunction(() => document.querySelectorAll('.try .saliency-words span').length === 2, undefined, { timeout: 60_000 });
  assert.equal(await words.nth(1).textContent(), '[?]');
  await page.getByText(/(One word is|2 words are) not in the vocabulary/).waitFor();
  assert.ok((await words.first().getAttribute('style')).includes('background'));
  assert.equal((await probabilities(page)).length, 2);
  await shot('typed-text');
});

e2e('a series is carried on beyond the data', { path: '#preset=lstm-sine', timeout: 90_000 }, async ({ page, shot }) => {
  await shows(page, 'lstm-sine');
  await slowly(page, 20);
  await own(page);
  const said = page.locator('.try .legend-row [role="status"]');
  await said.waitFor();
  const value = async () => Number((await said.innerText()).split(':').at(-1));
  const first = await value();
  assert.ok(Number.isFinite(first));
  await page.locator('.speed select').selectOption('0');
  // It is asked again while it learns.
  await page.waitForFunction((before) => Number(document.querySelector('.try .legend-row [role="status"]')?.innerText.split(':').at(-1)) !== before, first);
  await page.getByLabel('Where it begins').fill('40');
  await page.waitForFunction(() => document.querySelector('.try input[type="range"]')?.getAttribute('aria-valuetext') === '41');
  await shot('carried-on');
});

e2e('forecasts lie over the true course, ever nearer', { path: '#preset=lstm-sine', timeout: 150_000 }, async ({ page, shot }) => {
  await shows(page, 'lstm-sine');
  await slowly(page, 20);
  // It is what the network opens on; at first it may still show what was learnt before the start over.
  const error = (least, most) =>
    page.waitForFunction(
      ([from, to]) => {
        const shown = Number([...document.querySelectorAll('.series-view .numbers dd')].at(-1)?.innerText);
        return shown > from && shown < to;
      },
      [least, most],
      { timeout: 60_000 },
    );
  await error(0.2, 2);
  assert.deepEqual((await page.locator('.series-view .plot-key').allInnerTexts()).map((s) => s.trim()), ['truth', 'forecast, training', 'forecast, test']);
  await page.locator('.speed select').selectOption('0');
  await error(0, 0.1);
  await shot('series');
});

e2e('x is moved and y follows', { path: '#preset=linreg-3x2' }, async ({ page }) => {
  await shows(page, 'linreg-3x2');
  await tab(page, 'predictions');
  const answer = page.locator('.try-answer b');
  await page.locator('.try-slide').fill('0');
  await answer.waitFor();
  await page.locator('.speed select').selectOption('0');
  const at = async (x) => {
    await page.locator('.try-slide').fill(`${x}`);
    await page.waitForFunction((v) => document.querySelector('.try-field input')?.value === v, `${x}`);
    return page.evaluate(async (v) => (await nabla.current().predict(new Float32Array([v]), [1, 1])).data[0], x);
  };
  await page.waitForFunction(() => nabla.current().history().step.length > 900, undefined, { timeout: 45_000 });
  assert.ok((await at(1)) > (await at(0)) + 1);
});

e2e('pictures are browsed by class, with their channels', { path: null, timeout: 90_000 }, async ({ page, url, shot }) => {
  await smaller(page, url, 'cifar-cnn', fewShapes);
  await tab(page, 'data');
  await page.locator('.data-pictures canvas').first().waitFor();
  assert.equal(await page.locator('.data-columns tbody tr').count(), 3);
  const { info } = await run(page);
  const bars = page.locator('.data-bars button');
  assert.equal(await bars.count(), 10);
  const counted = await bars.locator('.figure:nth-of-type(3)').allTextContents();
  assert.equal(counted.reduce((n, t) => n + Number(t.replace(/\D/g, '')), 0), info.data.train);
  await shot('data-pictures');
  await bars.nth(3).click();
  await page.waitForFunction((name) => [...document.querySelectorAll('.data-pictures small')].every((e) => e.textContent === name), info.data.classes[3]);
});

e2e('texts are seen token by token', { path: null, timeout: 90_000 }, async ({ page, url, shot }) => {
  await smaller(page, url, 'imdb-conv1d', fewReviews);
  await tab(page, 'data');
  await page.locator('.data-tokens span').first().waitFor();
  await page.getByText('Vocabulary').waitFor();
  await page.getByText('Unknown words').waitFor();
  assert.ok((await page.locator('.data-lengths .data-histogram span').count()) > 5);
  assert.ok((await page.locator('.data-frequent span').count()) > 20);
  assert.match(await page.locator('.data-tokens span').first().getAttribute('title'), /^\d+$/);
  await shot('data-texts');
});

e2e('columns have ranges and spreads', { path: '#preset=logreg' }, async ({ page, shot }) => {
  await shows(page, 'logreg');
  await tab(page, 'data');
  const row = page.locator('.data-columns tbody tr').first();
  await row.waitFor();
  assert.equal(await page.locator('.data-columns tbody tr').count(), 30);
  assert.match(await row.innerText(), /mean radius/);
  assert.ok((await row.locator('.data-histogram span').count()) > 5);
  await shot('data-columns');
});

e2e('classes get weights, balanced or by hand', { path: '#preset=logreg' }, async ({ page }) => {
  await shows(page, 'logreg');
  await trained(page);
  const { info } = await run(page);
  const box = page.getByLabel('Class weights', { exact: true });
  await page.locator('details', { has: box }).locator('summary').click();
  await box.check();
  const [a, b] = info.data.classCounts;
  const want = [a, b].map((n) => (a + b) / (2 * n));
  await page.waitForFunction((w) => nabla.current()?.info.spec.train.class_weight?.every((v, i) => Math.abs(v - w[i]) < 1e-3), want);
  const field = page.getByLabel('Weight of each class');
  await enter(field, '1, 2, 3');
  await page.getByText(/3 class weights, but the data has 2 classes/).first().waitFor();
  await enter(field, 'many');
  await page.getByText(/one number, 0 or more/).waitFor();
  await page.getByRole('button', { name: 'Balanced' }).click();
  await page.waitForFunction(() => nabla.current()?.info.spec.train.class_weight?.length === 2);
});
