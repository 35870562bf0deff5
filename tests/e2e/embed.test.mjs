// The page in a frame of another.
import assert from 'node:assert/strict';
import { e2e } from './lib/harness.mjs';
import { enter, trained } from './lib/page.mjs';

/** A page that shows the site in a frame, and that frame. */
async function framed(page, url, query, [width, height] = [640, 640]) {
  await page.setContent(`<iframe id="f" src="${url}?embed=1&${query}" width="${width}" height="${height}" style="border:0"></iframe>`);
  const element = await page.waitForSelector('#f');
  const frame = await element.contentFrame();
  await frame.waitForSelector('main.embed');
  await frame.waitForSelector('.open-whole');
  return frame;
}

const waits = (frame, steps) =>
  frame.waitForFunction((n) => (globalThis.nabla?.current()?.history().step.length ?? -1) >= n, steps, { timeout: 45_000 });

e2e('a frame shows the panes that it asks for, trains, and opens the whole page', { path: 'engine.html', timeout: 90_000 }, async ({ page, url, context, shot }) => {
  const frame = await framed(page, url, 'preset=mlp-xor&panes=network,plot,predictions&theme=dark&lang=zh');
  await waits(frame, 5);
  assert.equal(await frame.locator('html').getAttribute('data-theme'), 'dark');
  assert.equal(await frame.locator('html').getAttribute('lang'), 'zh-CN');
  assert.equal(await frame.locator('#pane-network').isVisible(), true);
  assert.equal(await frame.locator('.plot-pane').isVisible(), true);
  assert.equal(await frame.locator('.inside').isVisible(), true);
  assert.equal(await frame.locator('#pane-setup').count(), 0);
  assert.equal(await frame.locator('.which').count(), 0, 'the bar has no list of networks');
  await shot('embed-640');
  // The visitor's own network and settings are left alone.
  assert.deepEqual(await frame.evaluate(() => Object.keys(localStorage).filter((k) => /spec|theme|language/.test(k))), []);
  const [whole] = await Promise.all([context.waitForEvent('page'), frame.locator('.open-whole').click()]);
  await trained(whole, 1);
  assert.equal(await whole.evaluate(() => nabla.current().info.spec.name), 'mlp-xor');
  assert.equal(await whole.locator('main.embed').count(), 0);
});

e2e('an edited network opens in the whole page as it was edited; train=0 waits', { path: 'engine.html', timeout: 90_000 }, async ({ page, url, context }) => {
  const frame = await framed(page, url, 'preset=mlp-xor&panes=network&train=0');
  await frame.locator('.readout .phase-paused').waitFor({ state: 'attached', timeout: 45_000 });
  assert.equal(await frame.evaluate(() => nabla.current().history().step.length), 0);
  assert.equal(await frame.locator('.plot-pane').count(), 0);
  assert.equal(await frame.locator('.inside').count(), 0);
  await enter(frame.locator('[data-layer] input').first(), '23');
  await frame.waitForFunction(() => document.querySelector('.open-whole').href.includes('#spec='));
  const [whole] = await Promise.all([context.waitForEvent('page'), frame.locator('.open-whole').click()]);
  await whole.waitForFunction(() => nabla.current()?.info.spec.layers.some((l) => l.units === 23));
});

e2e('frames of every width show all of what they hold', { path: 'engine.html', timeout: 120_000 }, async ({ page, url, shot }) => {
  await page.setViewportSize({ width: 1100, height: 760 });
  for (const width of [320, 480, 760, 1000]) {
    const frame = await framed(page, url, 'preset=logreg-blobs&panes=network,plot,predictions', [width, 700]);
    await waits(frame, 2);
    const sizes = await frame.evaluate(() => {
      const main = document.querySelector('main');
      const of = (sel) => {
        const r = document.querySelector(sel).getBoundingClientRect();
        return [r.left, r.right, r.height];
      };
      return { page: [document.documentElement.scrollWidth, innerWidth], main: [main.scrollWidth, main.clientWidth], bar: of('.bar'), parts: ['#pane-network', '.plot-pane', '.inside'].map(of) };
    });
    assert.ok(sizes.page[0] <= sizes.page[1], `${width}: the page is ${sizes.page}`);
    assert.ok(sizes.main[0] <= sizes.main[1] + 1, `${width}: the panes are ${sizes.main}`);
    for (const [left, right, height] of sizes.parts) {
      assert.ok(left >= -1 && right <= width + 1 && height > 80, `${width}: ${JSON.stringify(sizes)}`);
    }
    await shot(`embed-${width}`);
  }
});

e2e('the dialog makes the lines of a frame that shows this network', { path: '#preset=mlp-xor', timeout: 90_000 }, async ({ page, url, shot }) => {
  await trained(page, 1);
  await page.getByRole('button', { name: 'More', exact: true }).press('Enter');
  await page.getByRole('menuitem', { name: 'Embed in a page…' }).press('Enter');
  const dialog = page.getByRole('dialog', { name: 'Embed in a page' });
  const lines = dialog.getByRole('textbox', { name: 'Lines for the page' });
  await page.waitForFunction(() => document.querySelector('dialog textarea')?.value.includes('spec='));
  await dialog.getByLabel('Theme').selectOption('dark');
  await dialog.getByLabel('Train without being asked').uncheck();
  await shot('embed-dialog');
  const html = await lines.inputValue();
  assert.match(html, /^<iframe src="[^"]*\?embed=1&amp;panes=network,plot,predictions&amp;theme=dark&amp;train=0#spec=[\w-]+"/);
  await page.setContent(html);
  const frame = await (await page.waitForSelector('iframe')).contentFrame();
  await frame.locator('.readout .phase-paused').waitFor({ state: 'attached', timeout: 45_000 });
  await frame.waitForFunction(() => nabla.current()?.info.spec.name === 'mlp-xor');
  assert.ok((await frame.evaluate(() => location.href)).startsWith(url));
});
