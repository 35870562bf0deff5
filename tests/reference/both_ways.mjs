// The page's part of both_ways.py: loads the weights trained in Python by its own dialog, says how well they
// do, trains weights of its own and saves them. `node both_ways.mjs FOLDER [SITE]`, with MNIST as there.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT, launch } from '../e2e/lib/chrome.mjs';
import { pause, phase, trained } from '../e2e/lib/page.mjs';
import { serve } from '../e2e/lib/server.mjs';

const [folder, site = join(ROOT, 'dist')] = process.argv.slice(2);
const data = join(process.env.NABLA_DATA ?? join(ROOT, '../shared/data'), 'mnist');
const FILES = ['train-images-idx3-ubyte.gz', 'train-labels-idx1-ubyte.gz', 't10k-images-idx3-ubyte.gz', 't10k-labels-idx1-ubyte.gz'];
/** Steps that the page trains by itself. */
const STEPS = 150;

const { url, close } = await serve(site);
const browser = await launch();
const out = {};
for (const preset of ['cnn-pytorch', 'mnist-mlp']) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
  const page = await context.newPage();
  page.setDefaultTimeout(120_000);
  await page.goto(`${url}#preset=${preset}`);
  await trained(page, 1);
  const picker = page.locator('input[type="file"][multiple]');
  await picker.setInputFiles(FILES.map((f) => join(data, f)));
  await page.waitForFunction(() => nabla.current()?.info.data.test === 10_000, null, { timeout: 240_000 });
  await trained(page, 1);
  await pause(page);
  const before = await page.evaluate(() => nabla.current().info.run);
  await picker.setInputFiles(join(folder, `${preset}.safetensors`));
  await page.getByRole('button', { name: 'Load into this network' }).click();
  await page.waitForFunction((id) => (nabla.current()?.info.run ?? id) !== id, before);
  await phase(page, 'paused');
  const accuracy = () => page.evaluate(async () => (await nabla.current().evaluate('test')).accuracy);
  const theirs = await accuracy();
  // From its own weights.
  const file = await page.evaluate(async (steps) => {
    const run = nabla.current();
    await run.reset();
    await run.train({ steps });
    const bytes = new Uint8Array(await run.weights());
    let text = '';
    for (const b of bytes) text += String.fromCharCode(b);
    return btoa(text);
  }, STEPS);
  out[preset] = { theirs, own: await accuracy() };
  writeFileSync(join(folder, `page.${preset}.safetensors`), Buffer.from(file, 'base64'));
  console.log(preset, out[preset]);
  await context.close();
}
writeFileSync(join(folder, 'page.json'), JSON.stringify(out));
await browser.close();
await close();
