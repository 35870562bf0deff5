// Reconstructions, codes on their plane, and what the decoder draws.
import assert from 'node:assert/strict';
import { e2e } from './lib/harness.mjs';
import { pause, shows, trained } from './lib/page.mjs';

const number = (text) => Number(text.replaceAll(',', '').replace('−', '-'));

/** The pixels of a canvas as a string, once they differ from `not`. */
async function picture(canvas, not = '') {
  const handle = await canvas.elementHandle();
  const page = canvas.page();
  await page.waitForFunction(([c, before]) => c.isConnected && c.width > 0 && c.toDataURL() !== before, [handle, not]);
  return handle.evaluate((c) => c.toDataURL());
}

for (const id of ['vae', 'autoencoder']) {
  e2e(`what ${id === 'vae' ? 'a variational' : 'a plain'} autoencoder gives back, and draws`, async ({ page, shot }) => {
    await trained(page, 1);
    await page.locator('header select').first().selectOption(id);
    await shows(page, id);
    await trained(page, 40);
    await pause(page);
    const view = page.locator('.autoencoder');
    await view.locator('.pair').first().waitFor();
    assert.equal(await view.locator('.pair').count(), 12);

    // The error beside the first pair is that of the outputs themselves.
    const want = await page.evaluate(async () => {
      const r = nabla.current();
      const s = await r.samples('test', 0, 1);
      const out = await r.predict(s.x.data, s.x.shape);
      const y = s.y.data ?? s.y;
      return out.data.reduce((sum, v, i) => sum + (v - y[i]) ** 2, 0) / out.data.length;
    });
    await page.waitForFunction(
      (w) => Math.abs(Number(document.querySelector('.pairs .figure').innerText.replace(/[^0-9.]/g, '')) - w) <= 0.006 * w,
      want,
    );

    // The decoder follows the sliders.
    const decoded = view.locator('.map-side canvas.thumb');
    const before = await picture(decoded);
    const slider = view.locator('.map-slider input').first();
    await slider.focus();
    for (let i = 0; i < 30; i++) await page.keyboard.press('ArrowRight');
    const after = await picture(decoded, before);
    assert.notEqual(after, before);
    // Every sample is in one of the classes, whose places a table tells.
    const counts = await view.locator('.unseen tbody tr td:nth-of-type(1)').allTextContents();
    assert.equal(counts.map(number).reduce((a, b) => a + b), 360);

    // The plane in pictures is another picture than its points.
    const plane = view.locator('canvas.plot-canvas');
    const points = await picture(plane);
    await view.locator('.view-tools select').last().selectOption('pictures');
    await picture(plane, points);
    await shot(`${id}-plane`);

    const drawn = view.locator('.drawn canvas');
    assert.equal(await drawn.count(), 12);
    const first = await picture(drawn.first());
    await view.locator('h3 button').click();
    await picture(drawn.first(), first);
    await shot(`${id}-drawn`);
  });
}
