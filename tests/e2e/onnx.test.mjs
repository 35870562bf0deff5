// ONNX files: out of the page, into it again, with the same predictions; what cannot be read is named.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { e2e } from './lib/harness.mjs';
import { card, layers, pause, phase, run, shows, trained } from './lib/page.mjs';

const pick = (page, name, buffer) =>
  page.locator('input[type="file"][multiple]').setInputFiles({ name, mimeType: 'application/octet-stream', buffer });

const dialog = (page) => page.getByRole('dialog');

/** What the page's run predicts for the first samples. */
const predictions = (page) =>
  page.evaluate(async () => {
    const { x } = await nabla.current().samples('test', 0, 8);
    return [...(await nabla.current().predict(x)).data];
  });

e2e('a trained network goes out as ONNX and comes back with its weights; undo brings back what was there', { path: '#preset=digits-cnn', timeout: 120_000 }, async ({ page, shot }) => {
  await trained(page);
  await pause(page);
  const want = await predictions(page);
  await page.getByRole('tab', { name: 'Code' }).click();
  const save = page.getByRole('button', { name: '.onnx' });
  const [download] = await Promise.all([page.waitForEvent('download'), save.click()]);
  assert.equal(download.suggestedFilename(), 'digits_cnn.onnx');
  const file = await readFile(await download.path());

  // Another network stands there meanwhile.
  await page.goto(page.url().replace(/#.*/, '#preset=logreg'));
  await page.reload();
  await trained(page);
  await pause(page);
  const before = (await run(page)).id;
  await pick(page, 'trained.onnx', file);
  await dialog(page).getByText('conv1').waitFor();
  await shot('onnx-open');
  await dialog(page).getByRole('button', { name: 'Open its network with the weights' }).click();
  await page.waitForFunction((id) => (nabla.current()?.info.run ?? id) !== id, before);
  await phase(page, 'paused');
  assert.equal((await layers(page))[0], 'conv1');
  assert.deepEqual(await predictions(page), want);

  await page.keyboard.press('Control+z');
  await card(page, 'linear').waitFor();

  await pick(page, 'broken.onnx', file.subarray(0, 2000));
  await dialog(page).getByText('damaged').waitFor();
});

e2e('the API writes and reads ONNX', { path: 'engine.html' }, async ({ page }) => {
  const r = await page.evaluate(async () => {
    const spec = await nabla.preset('logreg');
    const a = await nabla.load(spec, { backend: 'cpu' });
    await a.train({ steps: 5 });
    const file = await nabla.export(spec, 'onnx', { run: a });
    const { spec: back, notes, weights } = await nabla.import(file);
    const b = await nabla.load(back, { backend: 'cpu', weights });
    const { x } = await a.samples('test', 0, 4);
    const [p, q] = [await a.predict(x), await b.predict(x)];
    const fresh = await nabla.export(spec, 'onnx');
    const wrong = await nabla.import(new Uint8Array([1, 2, 3])).catch((e) => ({ code: e.code, notes: e.notes }));
    const { text, study } = await nabla.code(spec, 'pytorch', { study: { trials: 3 } });
    return { same: JSON.stringify(back) === JSON.stringify(spec), notes, p: [...p.data], q: [...q.data], fresh: fresh.byteLength === file.byteLength, wrong, text, trials: study.trials };
  });
  assert.ok(r.same);
  assert.deepEqual(r.notes, []);
  assert.deepEqual(r.q, r.p);
  assert.ok(r.fresh);
  assert.equal(r.wrong.code, 'bad-spec');
  assert.match(r.wrong.notes[0].message, /no ONNX file/);
  assert.equal(r.trials, 3);
  assert.match(r.text, /optuna\.create_study/);
});
