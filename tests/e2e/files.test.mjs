// Files of the visitor's own: picked, dropped, broken.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { e2e } from './lib/harness.mjs';
import { atRest, controls, enter, pause, phase, run, shows, slowly, trained, trouble, type } from './lib/page.mjs';

const MNIST = ['train-images-idx3-ubyte.gz', 'train-labels-idx1-ubyte.gz', 't10k-images-idx3-ubyte.gz', 't10k-labels-idx1-ubyte.gz'];

const file = (name, content) => ({ name, mimeType: 'application/octet-stream', buffer: Buffer.from(content) });
const pick = (page, files) => page.locator('input[type="file"]').setInputFiles(files);

/** Drops a file on the page as a visitor does. */
async function drop(page, { name, buffer }) {
  const transfer = await page.evaluateHandle(([n, text]) => {
    const t = new DataTransfer();
    t.items.add(new File([text], n));
    return t;
  }, [name, buffer.toString()]);
  await page.dispatchEvent('main', 'dragenter', { dataTransfer: transfer });
  await page.dispatchEvent('main', 'dragover', { dataTransfer: transfer });
  await page.locator('.drop-veil').waitFor();
  await page.dispatchEvent('main', 'drop', { dataTransfer: transfer });
  await page.locator('.drop-veil').waitFor({ state: 'detached' });
}

/** Two clouds of points with a word for each. */
function clouds(rows = 200) {
  const lines = Array.from({ length: rows }, (_, i) => {
    const right = i % 2;
    const x = (right ? 2 : -2) + Math.sin(i * 12.9898);
    const y = Math.cos(i * 78.233);
    return `${x.toFixed(3)},${y.toFixed(3)},${right ? 'right' : 'left'}`;
  });
  return `x,y,side\n${lines.join('\n')}\n`;
}

/** y = 2x − 1 */
const line = `x,y\n${Array.from({ length: 100 }, (_, i) => `${i / 50},${(2 * i) / 50 - 1}`).join('\n')}\n`;

function idx(dims, bytes) {
  const head = Buffer.alloc(4 + 4 * dims.length);
  head[2] = 8;
  head[3] = dims.length;
  dims.forEach((d, i) => head.writeUInt32BE(d, 4 + 4 * i));
  return Buffer.concat([head, Buffer.from(bytes)]);
}

/** Two small sets of pictures with their labels, as MNIST's files. */
function pictures(counts = { train: 60, t10k: 20 }) {
  return Object.entries(counts).flatMap(([part, n]) => {
    const labels = Array.from({ length: n }, (_, i) => i % 10);
    const pixels = labels.flatMap((l) => Array.from({ length: 784 }, (_, p) => (p % 10 === l ? 255 : 0)));
    return [file(`${part}-images-idx3-ubyte`, idx([n, 28, 28], pixels)), file(`${part}-labels-idx1-ubyte`, idx([n], labels))];
  });
}

e2e('MNIST: the four files make mnist-mlp train on them', { data: 'mnist', path: '#preset=mnist-mlp', timeout: 170_000 }, async ({ page, data, shot }) => {
  await trained(page);
  const epochs = page.getByRole('textbox', { name: 'Epochs' });
  await enter(epochs, '2');
  await pick(page, MNIST.map((name) => join(data, name)));
  await page.waitForFunction(() => nabla.current()?.info.data.train === 54_000, undefined, { timeout: 60_000 });
  const { info } = await run(page);
  assert.deepEqual([info.data.train, info.data.validation, info.data.test], [54_000, 6_000, 10_000]);
  assert.equal(info.spec.data.source.kind, 'files');
  assert.match(await page.locator('.notices').innerText(), /MNIST: 54,000 samples to train, 10,000 to test/);
  await page.waitForFunction(() => nabla.current().history().val.length >= 1, undefined, { timeout: 90_000 });
  await page.waitForFunction(
    () => parseFloat(document.querySelector('.headline .first dd')?.textContent) > 95,
    undefined,
    { timeout: 90_000 },
  );
  assert.equal(await page.locator('.headline .first dt').textContent(), 'test accuracy');
  await shot('files-mnist');
});

e2e('pictures that are not packed, told apart by their names', { path: '#preset=mnist-mlp' }, async ({ page }) => {
  await trained(page);
  await pick(page, pictures().reverse());
  await page.waitForFunction(() => nabla.current()?.info.data.test === 20);
  const { info } = await run(page);
  assert.deepEqual([info.data.train + info.data.validation, info.data.test], [60, 20]);
  assert.equal(info.spec.name, 'mnist-mlp');
  await phase(page, 'finished');
});

e2e('a CSV file dropped on the page: the network is fitted to it and learns it', async ({ page, shot }) => {
  await trained(page);
  await drop(page, file('clouds.csv', clouds()));
  await page.waitForFunction(() => nabla.current()?.info.data.features.length === 2);
  const { info } = await run(page);
  assert.deepEqual(info.data.features, ['x', 'y']);
  assert.deepEqual(info.data.classes.toSorted(), ['left', 'right']);
  assert.deepEqual([info.data.train + info.data.validation, info.data.test], [160, 40]);
  assert.match(await page.locator('.notices').innerText(), /clouds\.csv: .* samples to train, 40 to test.*fitted/s);
  assert.equal(await page.locator('#pane-setup select').first().inputValue(), 'files');
  await page.waitForFunction(() => parseFloat(document.querySelector('.headline .first dd')?.textContent) >= 95);
  await page.getByRole('tab', { name: 'Boundary' }).waitFor();
  await shot('files-csv');

  // Another column as the target: numbers, so the network becomes a regression.
  const target = page.getByLabel('Target column');
  await enter(target, 'y');
  await page.waitForFunction(() => nabla.current()?.info.data.targets[0] === 'y' && !nabla.current().info.data.classes.length);
  await trained(page, 5);
  assert.ok((await run(page)).loss.every(Number.isFinite));
});

e2e('a CSV file of numbers: regression on one feature', async ({ page }) => {
  await trained(page);
  await page.getByLabel('Network from the tutorials').selectOption('linreg-3x2');
  await shows(page, 'linreg-3x2');
  await pick(page, file('line.csv', line));
  await page.waitForFunction(() => nabla.current()?.info.data.test === 20);
  await phase(page, 'finished');
  await page.getByRole('tab', { name: 'Fit' }).waitFor();
  const { info, loss } = await run(page);
  assert.deepEqual(info.data.targets, ['y']);
  assert.ok(loss.at(-1) < 0.1, `${loss.at(-1)}`);
});

const BROKEN = [
  ['a CSV file with ragged rows', [file('ragged.csv', 'a,b,c\n1,2,x\n1,2\n3,4,y\n')], /ragged|row|line|column|field/i],
  ['a CSV file whose target is empty', [file('hole.csv', 'a,b,c\n1,2,\n3,4,NA\n')], /“c” holds nothing that could be predicted/],
  ['an empty CSV file', [file('empty.csv', '')], /empty|row|sample|header/i],
  ['a truncated IDX file', () => {
    const all = pictures();
    all[0].buffer = all[0].buffer.subarray(0, 5000);
    return all;
  }, /train-images-idx3-ubyte/],
  ['pictures without labels', () => pictures().slice(0, 1), /label/i],
  ['as many labels as pictures are missing', () => [pictures()[0], file('train-labels-idx1-ubyte', idx([59], Array(59).fill(1)))], /59|60/],
  ['bytes that are no gzip', [file('train-images-idx3-ubyte.gz', 'nonsense'), file('train-labels-idx1-ubyte.gz', 'nonsense')], /./],
  ['a file of another kind', [file('notes.txt', 'hello')], /notes\.txt cannot be read here/],
];

e2e('broken files: a clear word, and the run is as it was', { timeout: 170_000 }, async ({ page, shot }) => {
  await slowly(page);
  await trained(page, 10);
  await pause(page);
  const before = await run(page);
  for (const [what, files, pattern] of BROKEN) {
    await pick(page, typeof files === 'function' ? files() : files);
    await trouble(page).first().waitFor();
    const said = await trouble(page).first().innerText();
    assert.match(said, pattern, `${what}: ${said}`);
    assert.ok(said.length > 20 && !/undefined|\[object|panick|unwrap/.test(said), `${what}: ${said}`);
    if (what.startsWith('a truncated')) await shot('files-broken');
    await trouble(page).first().getByRole('button', { name: 'Dismiss' }).click();
    await trouble(page).first().waitFor({ state: 'detached' });
    const after = await run(page);
    assert.equal(after?.id, before.id, what);
    assert.deepEqual(after.loss, before.loss, what);
    assert.equal(await page.getByLabel('Source').inputValue(), 'digits', what);
  }
  await drop(page, file('ragged.csv', 'a,b\n1\n2,3,4\n'));
  await trouble(page).first().waitFor();
  await atRest(page);
  await controls(page).play.click();
  await trained(page, before.step.length + 5);
  const after = await run(page);
  assert.equal(after.id, before.id);
  assert.deepEqual(after.loss.slice(0, before.loss.length), before.loss);
});

e2e('own points, typed in', { path: '#preset=first-network' }, async ({ page }) => {
  await trained(page);
  const points = page.getByLabel('Points, one per line');
  await type(points, '1, 2 → 2\n3, 4 → 6\n5, 7 → 11');
  await points.blur();
  await page.waitForFunction(() => nabla.current()?.info.data.train === 3);
  await type(points, '1, 2 → 2\n3, four → 6');
  await points.blur();
  await page.getByText('Line 2 is no point').waitFor();
  await trained(page, 5);
});

e2e('the bundled sets are those that are documented', async ({ page }) => {
  await trained(page);
  const rows = { iris: 150, 'breast-cancer': 569, diabetes: 442, digits: 1797 };
  for (const [source, total] of Object.entries(rows)) {
    await page.getByLabel('Source').selectOption(source);
    await page.waitForFunction((n) => {
      const d = nabla.current()?.info.data;
      return d && d.train + d.validation + d.test === n;
    }, total);
    await page.locator('.facts').waitFor();
    await trained(page, 5);
  }
  assert.ok(readFileSync(new URL('../../www/data/SOURCES.md', import.meta.url), 'utf8').includes('iris'));
});
