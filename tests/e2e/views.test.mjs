// The views that look deeper: units over the plane, the loss surface, embeddings, states, filters, errors.
import assert from 'node:assert/strict';
import { e2e } from './lib/harness.mjs';
import { card, pause, slowly, trained } from './lib/page.mjs';

const open = async (page, id) => {
  await page.locator(`#tab-${id}`).click();
  await page.locator('.look-panel .view').first().waitFor();
};
const number = (text) => Number(text.replaceAll(',', '').replace('−', '-').replace('e−', 'e-'));
const near = (a, b, share = 0.01) => assert.ok(Math.abs(a - b) <= share * (1e-3 + Math.abs(a) + Math.abs(b)), `${a} and ${b}`);
const fact = (page, name) => page.locator('.numbers > div', { has: page.locator('dt', { hasText: name }) }).locator('dd').first();

/** Opens the page with a note of every message to a worker. */
async function noted(page, address) {
  await page.addInitScript(() => {
    const post = Worker.prototype.postMessage;
    globalThis.asked = [];
    Worker.prototype.postMessage = function (message, ...rest) {
      if (typeof message?.body === 'string') globalThis.asked.push(message.body);
      return post.call(this, message, ...rest);
    };
  });
  await page.goto(address);
}
/** What was asked of a closer look: its kinds, in order. */
const looks = (page) =>
  page.evaluate(() => asked.map((b) => JSON.parse(b)).filter((m) => m.type === 'look').map((m) => m.ask.kind));

e2e('units over the plane, and nothing asked once they are closed', { path: null, timeout: 110_000 }, async ({ page, url, shot }) => {
  await noted(page, `${url}#preset=mlp-xor`);
  await slowly(page, 100);
  assert.deepEqual(await looks(page), [], 'nothing is asked before a view is opened');
  await open(page, 'neurons');
  const units = page.locator('.unit canvas');
  await units.first().waitFor();
  const layers = await page.evaluate(() => nabla.current().info.layers);
  assert.equal(await units.count(), layers.reduce((n, l) => n + l.shape[0], 0));
  // They follow the training.
  const cells = page.locator('.enlarged .unseen td');
  const before = await cells.allInnerTexts();
  await page.waitForFunction((old) => [...document.querySelectorAll('.enlarged .unseen td')].some((c, i) => c.innerText !== old[i]), before);
  await pause(page);
  await shot('neurons');
  // What they show is what the layer gives.
  await page.waitForFunction(async () => {
    const figure = (t) => Number(t.replaceAll(',', '').replace('−', '-').replace('e−', 'e-'));
    const table = document.querySelector('.enlarged .unseen table');
    const [x, y] = [table.querySelectorAll('thead th')[2], table.querySelectorAll('tbody th')[1]].map((e) => figure(e.innerText));
    const shown = figure(table.querySelectorAll('tbody tr')[1].querySelectorAll('td')[1].innerText);
    const r = nabla.current();
    await r.predict(new Float32Array([x, y]), [1, 2]);
    const want = (await r.tensor(`activation:${r.info.layers[0].id}`)).data[0];
    return Math.abs(shown - want) <= 0.02 * (0.05 + Math.abs(want));
  });
  // A click enlarges one; the layer of the builder comes first.
  await page.locator('.unit').nth(2).click();
  await page.locator('.enlarged h4', { hasText: `${layers[0].id} 2` }).waitFor();
  // Closed, it asks for nothing more, even while the run trains on.
  await open(page, 'plan');
  const known = (await looks(page)).length;
  const steps = await page.evaluate(() => nabla.current().history().step.length);
  await page.locator('.controls button').first().click();
  await trained(page, steps + 50);
  assert.equal((await looks(page)).length, known);
});

e2e('the loss surface: the run stays what it was, and the work ends with the view', { path: null, timeout: 110_000 }, async ({ page, url, shot }) => {
  await noted(page, `${url}#preset=linreg-3x2`);
  await slowly(page, 100);
  await trained(page, 40);
  await pause(page);
  const weights = () => page.evaluate(async () => {
    const r = nabla.current();
    return [...(await r.tensor('linear.weight')).data, ...(await r.tensor('linear.bias')).data];
  });
  const before = await weights();
  await open(page, 'landscape');
  // Two parameters are the axes themselves.
  await page.getByRole('button', { name: 'Again, from here' }).waitFor();
  near(number(await fact(page, 'loss there').innerText()), await page.evaluate(async () => (await nabla.current().evaluate('train')).loss));
  assert.deepEqual(await weights(), before);
  await shot('landscape');
  // The value under the pointer is the loss of those parameters.
  const canvas = page.locator('.landscape .chart-box canvas');
  await canvas.scrollIntoViewIfNeeded();
  const box = await canvas.boundingBox();
  await page.mouse.move(box.x + box.width * 0.7, box.y + box.height * 0.3);
  const said = page.locator('.landscape .plane-value');
  await page.waitForFunction(() => /loss/.test(document.querySelector('.landscape .plane-value').innerText) && /^\(/.test(document.querySelector('.landscape .plane-value').innerText));
  const [, x, y, loss] = (await said.innerText()).match(/\(([^,]+), ([^)]+)\): loss (\S+)/).map((t) => t);
  const want = await page.evaluate(async ([w, b]) => {
    const s = await nabla.current().samples('train', 0, 1e6);
    return s.y.reduce((sum, t, i) => sum + (w * s.x.data[i] + b - t) ** 2, 0) / s.y.length;
  }, [before[0] + number(x), before[1] + number(y)]);
  near(number(loss), want, 0.02);
  // Random directions, more points; cancelled before the end.
  const picks = page.locator('.landscape .pick select');
  await picks.first().selectOption('random');
  await page.locator('.landscape .pick', { hasText: 'points' }).locator('select').selectOption('51');
  // Pressed in the page itself as soon as it is there: a fast engine is soon done.
  await page.evaluate(() => {
    const press = (_, observer) => {
      const button = [...document.querySelectorAll('.landscape button')].find((b) => b.textContent === 'Cancel');
      if (!button) return;
      observer.disconnect();
      button.click();
      globalThis.cancelled = true;
    };
    new MutationObserver(press).observe(document.body, { childList: true, subtree: true });
  });
  await page.getByRole('button', { name: 'Again, from here' }).click();
  await page.waitForFunction(() => globalThis.cancelled);
  await page.getByRole('button', { name: 'Cancel' }).waitFor({ state: 'detached' });
  // Without a way there are no directions of it.
  await picks.first().selectOption('trajectory');
  assert.ok(await page.getByRole('button', { name: 'Again, from here' }).isDisabled());
  await open(page, 'plan');
  await page.waitForFunction(() => asked.some((b) => b.includes('surfaceEnd')));
  const known = (await looks(page)).length;
  await page.locator('.controls button').first().click();
  await trained(page, 120);
  assert.equal((await looks(page)).length, known);
});

e2e('boundaries of other models in one plane', { path: '#preset=logreg-blobs', timeout: 110_000 }, async ({ page, shot }) => {
  await trained(page, 20);
  await pause(page);
  await open(page, 'plane');
  await page.getByRole('button', { name: '+ Gaussian discriminants' }).click();
  const kept = page.locator('.beside-legend li');
  await kept.first().waitFor();
  await page.getByRole('button', { name: '+ linear SVM' }).click();
  await kept.nth(1).waitFor();
  await page.getByRole('button', { name: 'Keep this boundary' }).click();
  await kept.nth(2).waitFor();
  assert.deepEqual((await kept.allInnerTexts()).map((t) => t.trim()), ['Gaussian discriminants', 'linear SVM', '3 · logreg-blobs']);
  await shot('boundaries');
  // The page's own run is still there and as it was.
  assert.equal(await page.evaluate(() => nabla.current().info.spec.name), 'logreg-blobs');
  await page.getByRole('button', { name: 'Clear' }).click();
  await kept.first().waitFor({ state: 'detached' });
});

e2e('hidden states over the steps, and numbers on the cells', { path: '#preset=lstm-sine', timeout: 110_000 }, async ({ page, shot }) => {
  await trained(page, 3);
  await pause(page);
  await open(page, 'activations');
  const within = page.locator('.within .heat-box canvas');
  await within.nth(1).waitFor();
  await shot('states');
  const id = await page.evaluate(() => nabla.current().info.layers[0].id);
  await page.locator('section.tensor', { has: page.locator('.within') }).locator('code', { hasText: id }).first().waitFor();
  // The layer selected in the builder is the one whose weights are shown.
  await open(page, 'weights');
  await card(page, id).click();
  const grid = page.locator('.look-panel section.tensor').first();
  await grid.locator('.heat-box').waitFor();
  for (let k = 0; k < 5; k++) {
    const more = grid.getByRole('button', { name: 'Enlarge' });
    if (await more.isEnabled()) await more.click();
  }
  await grid.locator('.heat-number').first().waitFor();
  const name = await grid.locator('h4 code').innerText();
  const first = await page.evaluate(async (n) => (await nabla.current().tensor(n)).data[0], name);
  // The first cell comes into sight at the upper left corner.
  await grid.locator('.heat-scroll').evaluate((e) => e.scrollTo(0, 0));
  await page.waitForFunction((want) => {
    const e = [...document.querySelectorAll('.look-panel section.tensor .heat-number')].find((e) => e.style.left === '0px' && e.style.top === '0px');
    return e && Math.abs(Number(e.innerText.replace('−', '-').replace('e−', 'e-')) - want) <= 0.01 * Math.abs(want) + 1e-6;
  }, first);
  await shot('weights-numbers');
});

e2e('filters of a convolution as pictures, by channel', { path: '#preset=digits-cnn', timeout: 110_000 }, async ({ page, shot }) => {
  await trained(page, 3);
  await pause(page);
  await open(page, 'weights');
  const layer = page.locator('.view-tools .pick', { hasText: 'Layer' }).locator('select');
  const second = await page.evaluate(() => nabla.current().info.layers.filter((l) => l.kind === 'conv2d')[1].id);
  await layer.selectOption(second);
  const as = page.locator('.view-tools .pick', { hasText: 'as' }).last().locator('select');
  await page.waitForFunction(() => [...document.querySelectorAll('.view-tools select')].some((s) => s.value === 'filters'));
  const shape = await page.evaluate(async (l) => (await nabla.current().tensor(`${l}.weight`)).shape, second);
  // Tiles with a line between them: channels across, filters down.
  const size = () => page.locator('section.tensor canvas').first().evaluate((c) => [c.width, c.height]);
  const tiled = (across, down) => [across * (shape[3] + 1) - 1, down * (shape[2] + 1) - 1];
  await page.waitForFunction((w) => document.querySelector('section.tensor canvas')?.width === w, tiled(shape[1], shape[0])[0]);
  assert.deepEqual(await size(), tiled(shape[1], shape[0]));
  await shot('filters');
  await as.selectOption('channel 1');
  await page.waitForFunction((w) => document.querySelector('section.tensor canvas')?.width !== w, tiled(shape[1], shape[0])[0]);
});

e2e('an embedding is searched, and neighbours have their cosines', { path: '#preset=imdb-conv1d', timeout: 150_000 }, async ({ page, shot }) => {
  await trained(page, 1);
  // At rest, so that the rows stay in their order.
  await pause(page);
  await open(page, 'weights');
  const search = page.locator('.embedding input[type=search]');
  await search.waitFor();
  await search.pressSequentially('good');
  const rows = page.locator('.embedding .numbers-table tbody tr');
  await rows.nth(9).waitFor();
  await shot('embedding');
  const cosines = (await rows.locator('td').allInnerTexts()).map(number);
  assert.deepEqual(cosines, cosines.toSorted((a, b) => b - a));
  assert.ok(cosines[0] <= 1 && cosines[0] > 0);
  // A neighbour becomes the word that is asked about.
  const word = await rows.first().locator('button').innerText();
  await rows.first().locator('button').click();
  await page.locator('.embedding caption', { hasText: word }).waitFor();
});

e2e('where an autoencoder goes wrong', { path: '#preset=autoencoder', timeout: 150_000 }, async ({ page, shot }) => {
  await trained(page, 3);
  await pause(page);
  await open(page, 'saliency');
  await page.locator('.saliency canvas').nth(3).waitFor();
  await shot('reconstruction');
  const want = await page.evaluate(async () => {
    const r = nabla.current();
    const s = await r.samples('test', 0, 1);
    const out = await r.predict(s.x.data, s.x.shape);
    // Pixels of 0 to 255 are seen as 0 to 1.
    const most = Math.max(...s.x.data) > 1.5 ? 255 : 1;
    return out.data.reduce((sum, v, i) => sum + (v - s.x.data[i] / most) ** 2, 0) / out.data.length;
  });
  near(number(await fact(page, 'mean squared error').innerText()), want, 0.02);
});
