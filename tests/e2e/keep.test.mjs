// Weights, checkpoints and projects: saved, dropped, refused, taken back.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { e2e } from './lib/harness.mjs';
import { atRest, card, controls, enter, layers, pause, phase, run, shape, shows, slowly, trained } from './lib/page.mjs';

const pick = (page, name, buffer) =>
  page.locator('input[type="file"][multiple]').setInputFiles({ name, mimeType: 'application/octet-stream', buffer });

/** Drops a file on the page as a visitor does. */
async function drop(page, name, buffer) {
  const transfer = await page.evaluateHandle(([n, text]) => {
    const t = new DataTransfer();
    t.items.add(new File([Uint8Array.from(atob(text), (c) => c.charCodeAt(0))], n));
    return t;
  }, [name, buffer.toString('base64')]);
  await page.dispatchEvent('main', 'dragover', { dataTransfer: transfer });
  await page.dispatchEvent('main', 'drop', { dataTransfer: transfer });
}

const dialog = (page) => page.getByRole('dialog');
const button = (page, name) => dialog(page).getByRole('button', { name });

/** A safetensors file of these f32 tensors: name → { shape, data }. */
function tensors(all, metadata) {
  const header = metadata ? { __metadata__: metadata } : {};
  const parts = [];
  let at = 0;
  for (const [name, { shape, data }] of Object.entries(all)) {
    const bytes = Buffer.from(Float32Array.from(data).buffer);
    header[name] = { dtype: 'F32', shape, data_offsets: [at, at + bytes.length] };
    at += bytes.length;
    parts.push(bytes);
  }
  const text = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  return Buffer.concat([length, text, ...parts]);
}

/** The tensors of such a file. */
function taken(file) {
  const length = Number(file.readBigUInt64LE(0));
  const header = JSON.parse(file.subarray(8, 8 + length).toString());
  const { __metadata__: metadata, ...rest } = header;
  const all = {};
  for (const [name, { shape, data_offsets: [a, b] }] of Object.entries(rest)) {
    const bytes = file.subarray(8 + length + a, 8 + length + b);
    all[name] = { shape, data: [...new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length))] };
  }
  return { metadata, all };
}

/** Something of the page's run as bytes. */
async function bytesOf(page, what) {
  const text = await page.evaluate(async (what) => {
    const bytes = new Uint8Array(await nabla.current()[what]());
    let text = '';
    for (const b of bytes) text += String.fromCharCode(b);
    return btoa(text);
  }, what);
  return Buffer.from(text, 'base64');
}

/** All losses of the page's run, bit for bit. */
const losses = (page) => page.evaluate(() => nabla.current().history().loss);
const standing = (page) => page.evaluate(() => nabla.current().info.step);

/** Waits for another run than this one, and that it stands still. */
async function replaced(page, before) {
  await page.waitForFunction((id) => (nabla.current()?.info.run ?? id) !== id, before);
  await phase(page, 'paused');
}

const idOf = async (page) => (await run(page)).id;

e2e('a project goes out and comes back: network, curves, weights, and training goes on bit for bit', { path: '#preset=logreg', timeout: 120_000 }, async ({ page, shot }) => {
  await slowly(page, 100);
  await trained(page, 30);
  await pause(page);
  await page.getByRole('button', { name: 'Keep', exact: true }).click();
  await page.getByRole('button', { name: /^Remove run 1/ }).waitFor();
  // A network of its own, by an edit that needs no new run.
  await page.getByRole('button', { name: 'More', exact: true }).press('Enter');
  const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('menuitem', { name: 'Save the project…' }).press('Enter')]);
  assert.equal(download.suggestedFilename(), 'logreg.nabla');
  const project = await readFile(await download.path());
  const before = await run(page);
  const seen = before.step.length;
  // What comes next, to be compared with.
  for (let i = 0; i < 3; i++) {
    await controls(page).step.click();
    await page.waitForFunction((n) => nabla.current().history().step.length >= n, seen + i + 1);
    await atRest(page);
  }
  const wanted = (await losses(page)).slice(0, seen + 3);
  const weights = await bytesOf(page, 'weights');

  await page.goto('about:blank');
  await page.goBack();
  await trained(page, 1);
  const other = await idOf(page);
  await drop(page, 'logreg.nabla', project);
  await button(page, 'Open the project').waitFor();
  assert.match(await dialog(page).textContent(), new RegExp(`after step ${seen}\\b`));
  await shot('project-open');
  await button(page, 'Open the project').click();
  await replaced(page, other);
  assert.equal(await standing(page), seen);
  // The run that was kept beside it stands beside it again.
  await page.getByRole('button', { name: /^Remove run 1/ }).waitFor();
  // The page's own curve is the one of before, to its first step.
  const rows = page.locator('.lossplot .unseen tbody tr');
  await rows.first().waitFor();
  assert.equal((await rows.first().locator('th').textContent()).trim(), '0');
  for (let i = 0; i < 3; i++) {
    await controls(page).step.click();
    await page.waitForFunction((n) => nabla.current().history().step.length >= n, i + 1);
    await atRest(page);
  }
  assert.deepEqual(await losses(page), wanted.slice(seen), 'the same losses, bit for bit');
  assert.deepEqual(taken(await bytesOf(page, 'weights')).all, taken(weights).all, 'the same weights');

  // Undo brings back the run that the visit began with.
  const opened = await idOf(page);
  await page.locator('body').press('ControlOrMeta+z');
  await replaced(page, opened);
  assert.notEqual(await standing(page), seen + 3);
  const back = await idOf(page);
  await page.locator('body').press('ControlOrMeta+Shift+z');
  await replaced(page, back);
  assert.equal(await standing(page), seen + 3);
});

e2e('weights are recognised, compared with the network, loaded, and taken out by undo', { path: '#preset=logreg', timeout: 120_000 }, async ({ page, shot }) => {
  await slowly(page, 20);
  await trained(page, 2);
  await pause(page);
  const own = await bytesOf(page, 'weights');
  const { all, metadata } = taken(own);
  assert.equal(metadata.format, 'pt');
  assert.equal(JSON.parse(metadata['nabla.spec']).name, 'logreg', 'the file names its network');
  // Values that nothing but the file can have.
  const marked = Object.fromEntries(Object.entries(all).map(([name, t]) => [name, { ...t, data: t.data.map((_, i) => 0.25 + i) }]));
  const before = await run(page);
  await pick(page, 'weights.safetensors', tensors(marked));
  await button(page, 'Load into this network').waitFor();
  assert.match(await dialog(page).textContent(), /PyTorch's names/);
  await shot('weights-open');
  await button(page, 'Load into this network').click();
  await replaced(page, before.id);
  assert.deepEqual(taken(await bytesOf(page, 'weights')).all, marked);
  assert.equal(await standing(page), 0);
  const loaded = await idOf(page);
  await page.locator('body').press('ControlOrMeta+z');
  await replaced(page, loaded);
  assert.deepEqual(taken(await bytesOf(page, 'weights')).all, all, 'the old weights are back');

  // Keras' names and layout, under a prefix.
  const names = Object.keys(all).sort();
  const keras = Object.fromEntries(names.map((name) => {
    const [layer, what] = name.split('.');
    const { shape, data } = marked[name];
    return [`model/${layer}/${what === 'weight' ? 'kernel' : 'bias'}`, { shape: shape.toReversed(), data }];
  }));
  const third = await idOf(page);
  await pick(page, 'keras.safetensors', tensors(keras));
  await button(page, 'Load into this network').waitFor();
  assert.match(await dialog(page).textContent(), /Keras' names/);
  await button(page, 'Load into this network').click();
  await replaced(page, third);
  const got = taken(await bytesOf(page, 'weights')).all;
  for (const name of names) assert.deepEqual(got[name].data, marked[name].data, name);
});

e2e('weights that do not fit name the tensor and both shapes, and nothing changes', { path: '#preset=logreg' }, async ({ page, shot }) => {
  await slowly(page, 20);
  await trained(page, 2);
  await pause(page);
  const before = await run(page);
  const { all } = taken(await bytesOf(page, 'weights'));
  const [first] = Object.keys(all).filter((n) => n.endsWith('weight'));
  const [out, input] = all[first].shape;
  await pick(page, 'other.safetensors', tensors({ ...all, [first]: { shape: [out, input + 1], data: Array(out * (input + 1)).fill(0) } }));
  const alert = dialog(page).getByRole('alert').first();
  await alert.waitFor();
  const text = await alert.textContent();
  for (const part of [first, `[${out}, ${input + 1}]`, `[${out}, ${input}]`]) assert.ok(text.includes(part), text);
  assert.equal(await button(page, 'Load into this network').count(), 0);
  await shot('weights-unfit');
  await page.keyboard.press('Escape');
  await dialog(page).waitFor({ state: 'detached' });

  for (const [name, bytes, says] of [
    ['noise.safetensors', Buffer.from('this is no such file, but some text that is long enough'), /no safetensors file/],
    ['empty.nabla', Buffer.alloc(0), /no safetensors header/],
    ['cut.safetensors', tensors(all).subarray(0, -4), /bytes of data/],
    ['newer.nabla', tensors({}, { 'nabla.project': '{"version":99}' }), /version 99/],
    ['state.safetensors', tensors({}, { nabla: '{"version":7}' }), /checkpoint cannot be read/],
  ]) {
    await pick(page, name, bytes);
    await dialog(page).getByRole('alert').filter({ hasText: says }).waitFor();
    await page.keyboard.press('Escape');
    await dialog(page).waitFor({ state: 'detached' });
  }
  const after = await run(page);
  assert.equal(after.id, before.id);
  assert.deepEqual(after.loss, before.loss);
});

e2e('a file that names its network opens it with its weights, a checkpoint goes on', { path: '#preset=logreg', timeout: 120_000 }, async ({ page }) => {
  await slowly(page, 100);
  await trained(page, 5);
  await pause(page);
  const [weights, state] = [await bytesOf(page, 'weights'), await bytesOf(page, 'checkpoint')];
  const { step } = await run(page);
  const first = await layers(page);
  await page.evaluate(() => { location.hash = '#preset=mlp-xor'; });
  await shows(page, 'mlp-xor');
  const second = await layers(page);
  const xor = await idOf(page);
  await pick(page, 'mine.safetensors', weights);
  await button(page, 'Open its network with the weights').waitFor();
  assert.match(await dialog(page).textContent(), /names its network: logreg/);
  await button(page, 'Open its network with the weights').click();
  await replaced(page, xor);
  await shape(page, first);
  assert.deepEqual(taken(await bytesOf(page, 'weights')).all, taken(weights).all);
  await page.locator('body').press('ControlOrMeta+z');
  await shape(page, second);
  await shows(page, 'mlp-xor');

  const again = await idOf(page);
  await pick(page, 'state.safetensors', state);
  await button(page, 'Go on from there').click();
  await replaced(page, again);
  await shape(page, first);
  assert.equal(await standing(page), step.length);
  await controls(page).play.click();
  await trained(page, 1);
});
