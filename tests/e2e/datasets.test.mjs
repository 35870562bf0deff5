// Data of every format, public sets, and the life of a run, through the built site.
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { deflateRawSync, gzipSync } from 'node:zlib';
import { e2e } from './lib/harness.mjs';
import { enter, phase, run, shows, trained } from './lib/page.mjs';

const file = (name, content) => ({ name, mimeType: 'application/octet-stream', buffer: Buffer.from(content) });
const pick = (page, files) => page.locator('input[type="file"]').setInputFiles(files);

/** Waits until the page trains on files of this format. */
const trains = (page, format) => page.waitForFunction((f) => {
  const r = globalThis.nabla?.current();
  return r?.info.spec.data.source.format === f && r.history().step.length > 0;
}, format, { timeout: 45_000 });

function tar(entries) {
  const blocks = entries.flatMap(([name, bytes]) => {
    const head = Buffer.alloc(512);
    head.write(name, 0);
    head.write('0000644\0', 100);
    head.write(`${bytes.length.toString(8).padStart(11, '0')}\0`, 124);
    head.write('        ', 148);
    head.write('0ustar\x0000', 156);
    head.write(`${head.reduce((a, b) => a + b).toString(8).padStart(6, '0')}\0 `, 148);
    return [head, bytes, Buffer.alloc((512 - (bytes.length % 512)) % 512)];
  });
  return Buffer.concat([...blocks, Buffer.alloc(1024)]);
}

function zip(entries) {
  const parts = [];
  const directory = [];
  let at = 0;
  for (const [name, bytes] of entries) {
    const body = deflateRawSync(bytes);
    const head = Buffer.alloc(26);
    head.writeUInt16LE(20, 0);
    head.writeUInt16LE(8, 4);
    head.writeUInt32LE(body.length, 14);
    head.writeUInt32LE(bytes.length, 18);
    head.writeUInt16LE(name.length, 22);
    const local = Buffer.concat([Buffer.from('PK\x03\x04'), head, Buffer.from(name), body]);
    const place = Buffer.alloc(14);
    place.writeUInt32LE(at, 10);
    directory.push(Buffer.from('PK\x01\x02'), Buffer.from([20, 0]), head, place, Buffer.from(name));
    parts.push(local);
    at += local.length;
  }
  const list = Buffer.concat(directory);
  const end = Buffer.alloc(18);
  end.writeUInt16LE(entries.length, 4);
  end.writeUInt16LE(entries.length, 6);
  end.writeUInt32LE(list.length, 8);
  end.writeUInt32LE(at, 12);
  return Buffer.concat([...parts, list, Buffer.from('PK\x05\x06'), end]);
}

const batch = (n) => Buffer.concat(Array.from({ length: n }, (_, i) => Buffer.concat([Buffer.from([i % 10]), Buffer.alloc(3072, (i % 10) * 25)])));
/** A folder on disk with these files, for as long as `use` lasts. */
async function folder(files, use) {
  const root = mkdtempSync(join(tmpdir(), 'nabla-'));
  try {
    for (const [name, bytes] of files) {
      mkdirSync(dirname(join(root, name)), { recursive: true });
      writeFileSync(join(root, name), bytes);
    }
    return await use(root);
  } finally {
    rmSync(root, { recursive: true });
  }
}

/** Drops files and folders of the disk on the page, as a hand would. */
async function drop(page, context, paths) {
  const cdp = await context.newCDPSession(page);
  const data = { items: [], files: paths, dragOperationsMask: 1 };
  for (const type of ['dragEnter', 'dragOver', 'drop']) await cdp.send('Input.dispatchDragEvent', { type, x: 640, y: 400, data });
}

/** IDX: element type 8 (bytes), then the axes, then the elements. */
function idx(shape, bytes) {
  const head = Buffer.alloc(4 + 4 * shape.length);
  head.writeUInt8(8, 2);
  head.writeUInt8(shape.length, 3);
  shape.forEach((n, i) => head.writeUInt32BE(n, 4 + 4 * i));
  return Buffer.concat([head, bytes]);
}

const review = (i) => (i % 2 ? `a good film number ${i}` : `a bad film number ${i}`);

e2e('CIFAR-10 batches, loose and in their archive', { path: '#preset=cifar-cnn', timeout: 120_000 }, async ({ page }) => {
  await shows(page, 'cifar-cnn');
  await pick(page, [file('data_batch_1.bin', batch(60)), file('test_batch.bin.gz', gzipSync(batch(20)))]);
  await trains(page, 'cifar10');
  const { info } = await run(page);
  assert.deepEqual([info.data.train, info.data.validation, info.data.test], [54, 6, 20]);
  assert.equal(info.data.classes[9], 'truck');
  const archive = gzipSync(tar([['cifar-10-batches-bin/data_batch_1.bin', batch(40)], ['cifar-10-batches-bin/test_batch.bin', batch(10)]]));
  await pick(page, [file('cifar-10-binary.tar.gz', archive)]);
  await page.waitForFunction(() => nabla.current()?.info.data.test === 10);
});

e2e('reviews as JSON lines, as a table and as folders train the network of IMDB', { path: '#preset=imdb-conv1d', timeout: 150_000 }, async ({ page }) => {
  await shows(page, 'imdb-conv1d');
  const lines = (n) => Array.from({ length: n }, (_, i) => JSON.stringify({ text: review(i), label: i % 2 })).join('\n');
  await pick(page, [file('train.jsonl.gz', gzipSync(lines(40))), file('test.jsonl', lines(10))]);
  await trains(page, 'jsonl');
  let { info } = await run(page);
  assert.deepEqual([info.data.classes, info.data.test], [['negative', 'positive'], 10]);
  assert.deepEqual(info.data.shape, [500]);
  // Sentences are no categories: the table is read as texts.
  const rows = Array.from({ length: 80 }, (_, i) => `"${review(i)}",${i % 2 ? 'fine' : 'poor'}`).join('\n');
  await pick(page, [file('reviews.csv', `review,verdict\n${rows}\n`)]);
  await trains(page, 'text_csv');
  ({ info } = await run(page));
  assert.deepEqual(info.data.classes, ['fine', 'poor']);
  const folders = tar(Array.from({ length: 40 }, (_, i) => [`aclImdb/train/${i % 2 ? 'pos' : 'neg'}/${i}.txt`, Buffer.from(review(i))]));
  await pick(page, [file('aclImdb_v1.tar.gz', gzipSync(folders))]);
  await trains(page, 'acl_imdb');
  assert.equal((await run(page)).info.spec.data.source.name, 'imdb');
});

e2e('a zip of pictures by class, decoded by the browser', { path: '#preset=cifar-cnn', timeout: 90_000 }, async ({ page }) => {
  await shows(page, 'cifar-cnn');
  const png = (colour) => page.evaluate(async (c) => {
    const canvas = new OffscreenCanvas(40, 20);
    const context = canvas.getContext('2d');
    context.fillStyle = c;
    context.fillRect(0, 0, 40, 20);
    return [...new Uint8Array(await (await canvas.convertToBlob()).arrayBuffer())];
  }, colour);
  const colours = { red: Buffer.from(await png('#f00')), blue: Buffer.from(await png('#00f')) };
  const entries = Object.entries(colours).flatMap(([c, bytes]) => Array.from({ length: 12 }, (_, i) => [`set/${c}/${i}.png`, bytes]));
  await pick(page, [file('set.zip', zip(entries))]);
  await trains(page, 'images');
  const { info } = await run(page);
  assert.deepEqual([info.data.classes, info.data.shape], [['blue', 'red'], [3, 32, 32]]);
  const sample = await page.evaluate(async () => {
    const { x, y } = await nabla.current().samples('train', 0, 1);
    return { first: [x.data[0], x.data[1024], x.data[2048]], y: y[0] };
  });
  assert.deepEqual(sample.first, sample.y === 1 ? [255, 0, 0] : [0, 0, 255]);
});

e2e('hostile and broken files say what is wrong and leave the run alone', { timeout: 90_000 }, async ({ page }) => {
  await trained(page);
  const { id } = await run(page);
  const cases = [
    [file('data_batch_1.bin', batch(2).subarray(0, 4000)), /4,?000 bytes/],
    [file('x.tar.gz', gzipSync(tar([['../../etc/passwd', Buffer.from('x')]]))), /leads out of it/],
    [file('x.jsonl', '{"text": "a", "label": 1}\nnot json\n'), /line 2/],
    [file('x.zip', Buffer.from('PK\x03\x04 and then nothing')), /damaged/],
    [file('t10k-images-idx3-ubyte', idx([10, 28, 28], Buffer.alloc(7000))), /7,?840.*7,?000|7,?000.*7,?840/],
    [file('holes.csv', 'a,b,c\n1,2,\n3,4,?\n'), /holds nothing that could be predicted/],
  ];
  for (const [given, said] of cases) {
    await pick(page, [given]);
    await page.getByText(said).waitFor();
  }
  const after = await run(page);
  assert.equal(after.id, id);
});

e2e('a table has its target chosen; a column that is not there leaves the run alone', { path: '#preset=digits-mlp', timeout: 90_000 }, async ({ page }) => {
  await trained(page);
  const rows = Array.from({ length: 60 }, (_, i) => `${i % 7},${(i * i) % 11},${i % 3},${i % 2 ? 'yes' : 'no'}`).join('\n');
  await pick(page, [file('table.csv', `first,second,third,answer\n${rows}\n`)]);
  await trains(page, 'csv');
  const before = await run(page);
  assert.deepEqual([before.info.data.classes, before.info.data.features], [['no', 'yes'], ['first', 'second', 'third']]);
  const target = page.getByLabel('Target column');
  await enter(target, 'nowhere');
  await page.getByText(/no column “nowhere”.*first, second, third, answer/).waitFor();
  assert.equal((await run(page)).id, before.id);
  await enter(target, 'third');
  await page.waitForFunction(() => nabla.current()?.info.data.features.includes('answer=yes') || nabla.current()?.info.data.classes.length === 3);
});

e2e('missing cells of a table are filled, said, and treated otherwise column by column', { path: '#preset=digits-mlp', timeout: 120_000 }, async ({ page, shot }) => {
  await trained(page);
  const cell = (i) => [i % 8 === 0 ? '' : i % 5, i % 10 === 3 ? 'NA' : ['red', 'blue'][i % 2], i % 25 === 7 ? '?' : ['no', 'yes'][i % 2]];
  const rows = Array.from({ length: 100 }, (_, i) => cell(i).join('\t')).join('\n');
  await pick(page, [file('holes.tsv', `size\tcolour\tanswer\n${rows}\n`)]);
  await trains(page, 'csv');
  await page.getByText('Missing cells: 22 filled in, 4 rows and 0 empty columns left out.').waitFor();
  const { columns } = await page.evaluate(() => nabla.current().info.data.missing);
  const told = Object.fromEntries(columns.map((c) => [c.column, [c.cells, c.with]]));
  assert.deepEqual(told, { size: [12, 'mean'], colour: [10, 'most_frequent'], answer: [4, 'drop'] });
  await page.locator('#tab-data').click();
  const missing = page.locator('.data-columns tbody tr', { has: page.getByRole('rowheader', { name: 'size' }) }).locator('td').nth(4);
  await missing.waitFor();
  assert.ok(Number(await missing.innerText()) > 0);
  const all = (i) => i.data.train + i.data.validation + i.data.test;
  const before = await run(page);
  assert.equal(all(before.info), 96);
  await shot('missing-cells');
  await page.getByLabel(/^size · 12 cells/).selectOption('drop');
  await page.waitForFunction((id) => nabla.current()?.info.run !== id && nabla.current()?.info.data.missing?.dropped === 16, before.id);
  const { info } = await run(page);
  // What was done at first stands in the spec too.
  assert.deepEqual([info.spec.data.missing, all(info)], [{ size: 'drop', colour: 'most_frequent' }, 84]);
});

e2e('what is unpacked and cut into words for long can be cancelled', { firefox: false, timeout: 120_000 }, async ({ page }) => {
  await trained(page);
  const { id } = await run(page);
  // Small as a file, large as what it holds: reading ends at once, and the rest lasts.
  const text = Buffer.from('it was not a good film but the end was fine '.repeat(20_000));
  const entries = Array.from({ length: 200 }, (_, i) => [`aclImdb/train/${i % 2 ? 'pos' : 'neg'}/${i}.txt`, text]);
  const archive = gzipSync(tar(entries), { level: 1 });
  await page.evaluate(() => {
    globalThis.seen = [];
    new MutationObserver((_, self) => {
      const bar = document.querySelector('.reading progress');
      if (!bar) return;
      globalThis.seen.push(bar.value / bar.max);
      // Reading is the first half.
      if (bar.value / bar.max <= 0.5) return;
      self.disconnect();
      document.querySelector('.reading button').click();
    }).observe(document.body, { childList: true, subtree: true, attributes: true });
  });
  await pick(page, [file('aclImdb_v1.tar.gz', archive)]);
  await page.getByText('Cancelled; everything is as it was.').waitFor({ timeout: 60_000 });
  const seen = await page.evaluate(() => globalThis.seen);
  assert.ok(seen.at(-1) > 0.5 && seen.at(-1) < 1, `${seen}`);
  await page.locator('.reading').waitFor({ state: 'detached' });
  assert.equal((await run(page)).id, id);
  const { step } = await run(page);
  await page.waitForFunction((n) => nabla.current().history().step.length > n, step.length);
});

e2e('a folder of pictures by class and one of reviews, picked and dropped', { path: '#preset=cifar-cnn', firefox: false, timeout: 120_000 }, async ({ page, context }) => {
  await shows(page, 'cifar-cnn');
  const bmp = (r, g, b) => {
    const head = Buffer.from('424d3a000000000000003600000028000000010000000100000001001800000000000400000000000000000000000000000000000000', 'hex');
    return Buffer.concat([head, Buffer.from([b, g, r, 0])]);
  };
  const pictures = Array.from({ length: 24 }, (_, i) => [`shades/${i % 2 ? 'red' : 'blue'}/${i}.bmp`, i % 2 ? bmp(255, 0, 0) : bmp(0, 0, 255)]);
  await folder([...pictures, ['shades/red/notes.md', 'x'], ['shades/.hidden/1.bmp', bmp(0, 0, 0)]], async (root) => {
    const [chooser] = await Promise.all([page.waitForEvent('filechooser'), page.getByRole('button', { name: 'Open a folder' }).click()]);
    await chooser.setFiles(join(root, 'shades'));
    await trains(page, 'images');
    const { info } = await run(page);
    assert.deepEqual([info.data.classes, info.spec.data.source.name], [['blue', 'red'], 'shades']);
    assert.equal(info.data.train + info.data.validation + info.data.test, 24);
  });
  const reviews = Array.from({ length: 60 }, (_, i) => [`aclImdb/${i % 3 ? 'train' : 'test'}/${i % 2 ? 'pos' : 'neg'}/${i}_7.txt`, review(i)]);
  await page.goto(new URL('#preset=imdb-conv1d', page.url()).href);
  await page.reload();
  await shows(page, 'imdb-conv1d');
  await folder([...reviews, ['aclImdb/imdb.vocab', 'the\na\n'], ['aclImdb/train/unsup/1_0.txt', 'x'], ['aclImdb/README', 'x']], async (root) => {
    await drop(page, context, [join(root, 'aclImdb')]);
    await trains(page, 'acl_imdb');
    const { info } = await run(page);
    assert.deepEqual([info.data.classes, info.data.test, info.spec.data.source.name], [['negative', 'positive'], 20, 'imdb']);
  });
});

e2e('files that are too much are refused before they are read; a reading is cancelled', { firefox: false, timeout: 120_000 }, async ({ page, shot }) => {
  await trained(page);
  const { id } = await run(page);
  await folder([['huge.csv', ''], ['large.csv', '']], async (root) => {
    truncateSync(join(root, 'huge.csv'), 2 ** 31);
    await pick(page, join(root, 'huge.csv'));
    await page.getByText(/2048 MiB; at most 1024 MiB/).waitFor();
    truncateSync(join(root, 'large.csv'), 500 << 20);
    // As soon as it can be: how long the file takes is the machine's.
    await page.evaluate(() => {
      globalThis.seen = null;
      new MutationObserver((_, self) => {
        const bar = document.querySelector('.reading');
        if (!bar) return;
        globalThis.seen = { text: bar.innerText, max: bar.querySelector('progress').max };
        bar.querySelector('button').click();
        self.disconnect();
      }).observe(document.body, { childList: true, subtree: true });
    });
    await pick(page, join(root, 'large.csv'));
    await page.getByText('Cancelled; everything is as it was.').waitFor();
    const seen = await page.evaluate(() => globalThis.seen);
    assert.match(seen.text, /of 500\.0 MiB/);
    assert.equal(seen.max, 500 << 20);
    await page.locator('.reading').waitFor({ state: 'detached' });
  });
  assert.equal((await run(page)).id, id);
  const { step } = await run(page);
  await page.waitForFunction((n) => nabla.current().history().step.length > n || nabla.current().history().step.at(-1) > n, step.length);
});

e2e('a public set: from the site, verified, kept, deleted', { data: 'mnist', path: '#preset=mnist-mlp', timeout: 120_000, allow: [/request to the outside/, /404/, /net::ERR/] }, async ({ page, data }) => {
  await trained(page);
  const asked = [];
  let wrong = true;
  await page.route('**/data/mnist/*', (route) => {
    const name = route.request().url().split('/').at(-1);
    asked.push(name);
    const body = readFileSync(join(data, name));
    // At first one byte is not as it should be.
    if (wrong) body[100] ^= 1;
    return route.fulfill({ body, contentType: 'application/octet-stream' });
  });
  for (const host of ['**://storage.googleapis.com/**', '**://ossci-datasets.s3.amazonaws.com/**']) await page.route(host, (r) => r.abort());
  await page.getByText('Public data sets').click();
  const row = page.locator('[data-set="mnist"]');
  const own = await run(page);
  await row.getByRole('button', { name: 'Get' }).click();
  await page.getByRole('alert').filter({ hasText: /SHA-256/ }).waitFor();
  assert.equal((await run(page)).id, own.id);
  wrong = false;
  await row.getByRole('button', { name: 'Get' }).click();
  await page.waitForFunction(() => nabla.current()?.info.data.train === 54000, undefined, { timeout: 45_000 });
  assert.equal((await run(page)).info.spec.data.source.name, 'mnist');
  const before = asked.length;
  await row.getByRole('button', { name: 'Use' }).click();
  await page.waitForFunction((id) => nabla.current()?.info.run !== id, (await run(page)).id);
  assert.equal(asked.length, before);
  await row.getByRole('button', { name: /Delete/ }).click();
  await row.getByRole('button', { name: 'Get' }).waitFor();
  assert.equal((await page.evaluate(() => nabla.datasets()))[0].cached, 0);
});

e2e('early stopping ends the run, says so, and kept states go on', { timeout: 120_000 }, async ({ page }) => {
  await trained(page);
  await page.locator('.speed select').selectOption('0');
  const spec = await page.evaluate(async () => {
    const s = await nabla.preset('digits-mlp');
    s.train.early_stopping = { monitor: 'val_loss', patience: 1, min_delta: 0.5, restore_best: true };
    s.train.checkpoints = { monitor: 'val_loss', best_only: true };
    return s;
  });
  const told = await page.evaluate(async (s) => {
    const r = await nabla.load(s);
    const end = await r.train();
    const saved = await r.saved();
    const bytes = await r.savedFile(saved.at(-1).name);
    const again = await nabla.resume(bytes);
    const at = again.info.step;
    const more = await again.train({ epochs: 1 });
    await r.dispose();
    await again.dispose();
    return { end, saved, at, per: again.info.stepsPerEpoch, more };
  }, spec);
  assert.equal(told.end.stopped, 'early-stopping');
  assert.ok(told.end.epoch < 60 && told.end.best < told.end.epoch);
  assert.match(told.saved[0].name, /^model\.01-\d\.\d\d\.safetensors$/);
  assert.equal(told.at, told.saved.at(-1).epoch * told.per);
  assert.equal(told.more.epoch, told.saved.at(-1).epoch + 1);
});

e2e('schedules change the learning rate as they say; every epoch is kept where that is asked', { path: 'engine.html', timeout: 90_000 }, async ({ page }) => {
  const rates = (schedule, rate = 0.1) => page.evaluate(async ({ schedule, rate }) => {
    const spec = await nabla.preset('logreg');
    spec.train.optimizer = { kind: 'sgd', learning_rate: rate };
    Object.assign(spec.train, { epochs: 4, schedule, checkpoints: { monitor: 'val_loss', best_only: false } });
    spec.data.split.validation = 0.2;
    const run = await nabla.load(spec);
    await run.train();
    const { learningRate } = run.history().metrics;
    const saved = (await run.saved()).map((s) => s.epoch);
    const per = run.info.stepsPerEpoch;
    await run.dispose();
    return { saved, first: learningRate[0], last: learningRate.at(-1), top: Math.max(...learningRate), epochs: [0, 1, 2, 3].map((e) => learningRate[e * per]) };
  }, { schedule, rate });
  const near = (got, want, what) => got.forEach((v, i) => assert.ok(Math.abs(v - want[i]) < 1e-6, `${what}: ${got}`));
  const step = await rates({ kind: 'step', every: 2, gamma: 0.5 });
  near(step.epochs, [0.1, 0.1, 0.05, 0.05], 'step');
  assert.deepEqual(step.saved, [1, 2, 3, 4]);
  near((await rates({ kind: 'exponential', gamma: 0.5 })).epochs, [0.1, 0.05, 0.025, 0.0125], 'exponential');
  const cosine = await rates({ kind: 'cosine', final_factor: 0 });
  assert.ok(cosine.first === cosine.top && cosine.last < 0.02, 'cosine');
  const warm = await rates({ kind: 'warmup', epochs: 2 });
  assert.ok(warm.first < 0.02 && warm.epochs[1] < 0.09 && Math.abs(warm.last - 0.1) < 1e-6, 'warm-up');
  const cycle = await rates({ kind: 'one_cycle', warmup: 0.3 });
  assert.ok(cycle.first < cycle.top && cycle.last < cycle.first && cycle.top > 0.08, 'one cycle');
  // So small a rate gains nothing: it is halved after every epoch but the first.
  const plateau = await rates({ kind: 'plateau', monitor: 'val_loss', factor: 0.5, patience: 1 }, 1e-6);
  assert.ok(plateau.epochs[0] === plateau.top && plateau.epochs[3] <= plateau.epochs[0] / 2, `plateau: ${plateau.epochs}`);
});

e2e('the panel sets early stopping, and the page says when it stopped', { path: '#preset=cifar-cnn', timeout: 150_000 }, async ({ page }) => {
  await shows(page, 'cifar-cnn');
  const box = page.getByLabel('Stop early');
  await page.locator('details', { has: box }).locator('summary').click();
  assert.ok(await box.isChecked());
  assert.equal(await page.getByLabel('Patience').first().inputValue(), '3');
  assert.equal(await page.getByLabel('Watch').first().inputValue(), 'val_loss');
  // So large a gain is never made: it stops after three epochs without.
  const delta = page.getByLabel('Least gain');
  await enter(delta, '100');
  await page.locator('.speed select').selectOption('0');
  await pick(page, [file('data_batch_1.bin', batch(60))]);
  await trains(page, 'cifar10');
  await page.getByText(/Stopped early after epoch \d+: epoch \d+ was the best/).waitFor({ timeout: 60_000 });
  await phase(page, 'paused');
  await page.getByText(/Kept states/).click();
  const [download] = await Promise.all([page.waitForEvent('download'), page.locator('.saved-states button').first().click()]);
  assert.match(download.suggestedFilename(), /^model\.\d\d-\d+\.\d\d\.safetensors$/);
});

for (const how of ['closed', 'crashed']) e2e(`a page that is ${how} goes on where it was, step for step`, { path: '#preset=digits-mlp', timeout: 150_000, allow: how === 'crashed' ? [/crashed/] : [], firefox: how === 'closed' }, async ({ page, context, url }) => {
  await trained(page);
  await page.waitForFunction(() => (JSON.parse(localStorage.getItem('nabla.run') ?? 'null')?.step ?? 0) > 20, undefined, { timeout: 60_000 });
  if (how === 'crashed') {
    // The renderer dies at once, in the middle of whatever it does.
    const cdp = await context.newCDPSession(page);
    const crash = page.waitForEvent('crash');
    cdp.send('Page.crash').catch(() => {});
    await crash;
  }
  await page.close();
  const again = await context.newPage();
  again.setDefaultTimeout(20_000);
  await again.goto(`${url}#preset=digits-mlp`);
  await again.getByText(/was interrupted/).waitFor();
  await again.getByRole('button', { name: 'Go on' }).click();
  await again.waitForFunction(() => (nabla.current()?.history().step[0] ?? 0) > 20, undefined, { timeout: 45_000 });
  await trained(again, 50);
  const { same, first } = await again.evaluate(async () => {
    const seen = nabla.current().history();
    const whole = await nabla.load(await nabla.preset('digits-mlp'));
    await whole.train({ steps: seen.step[49] + 1 });
    const { loss } = whole.history();
    await whole.dispose();
    return { same: seen.step.slice(0, 50).every((s, i) => loss[s] === seen.loss[i]), first: seen.step[0] };
  });
  assert.ok(same, `other losses after step ${first}`);
});
