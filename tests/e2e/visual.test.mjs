// Pictures of what the page draws, kept in tests/e2e/pictures: the same seed, the same steps, the same
// picture. `NABLA_BLESS=1 node --test tests/e2e/visual.test.mjs` keeps what is drawn now.
import assert from 'node:assert/strict';
import { e2e } from './lib/harness.mjs';
import { noText, same } from './lib/picture.mjs';
import { atRest, controls, pause, trained } from './lib/page.mjs';

const STEPS = 240;

/** Canvases of a size that no font changes. */
const SIZED = `
  .plot-box { flex: none !important; width: 320px !important; height: 160px !important; }
  .plot-facts, .plot-facts .plot-figure { height: auto !important; overflow: visible !important; }
  .plot-facts { display: grid !important; }
  .plot-facts .plot-box { width: 200px !important; height: 64px !important; }
  .look-panel { width: 520px !important; flex: none !important; }
  * { scrollbar-width: none !important; transition: none !important; animation: none !important; }
`;

/** Opens a preset and trains it for so many steps from its seed. */
async function open(page, url, preset, colorScheme) {
  await page.addInitScript(noText);
  await page.goto(`${url}#preset=${preset}`);
  await trained(page);
  await page.addStyleTag({ content: SIZED });
  await page.locator(`html[data-theme="${colorScheme}"]`).waitFor();
  if (await page.locator('.readout .phase-training').count()) await pause(page);
  await controls(page).reset.click();
  await page.waitForFunction(() => nabla.current().info.step === 0 && nabla.current().history().step.length === 0);
  await atRest(page);
  await page.evaluate((steps) => nabla.current().train({ steps }), STEPS);
  await page.waitForFunction((steps) => nabla.current().history().step.length === steps, STEPS);
  await drawn(page);
}

/** What has changed on the page has been drawn: two frames, each after the other's tasks. */
const drawn = (page) => page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(() => requestAnimationFrame(() => requestAnimationFrame(done)), 0)))));

/** Opens a view of the look inside; its newest answer is of the last step. */
async function view(page, id) {
  await page.locator(`#tab-${id}`).click();
  const canvas = page.locator('.look-panel canvas').first();
  await canvas.waitFor();
  await settled(page, canvas);
  return canvas;
}

/** Waits until a canvas has kept its picture for a while of drawn frames. */
async function settled(page, canvas) {
  for (let before = null, same = 0; same < 4; ) {
    await drawn(page);
    await atRest(page);
    const now = await canvas.evaluate((e) => e.toDataURL());
    same = now === before ? same + 1 : 0;
    before = now;
  }
}

for (const colorScheme of ['light', 'dark']) {
  // Firefox draws lines in its own way, and its driver cannot ask for a theme.
  const options = { path: null, context: { colorScheme, viewport: { width: 1440, height: 900 } }, firefox: false, timeout: 170_000 };

  e2e(`curves, weights and activations of the digits, ${colorScheme}`, options, async ({ page, url }) => {
    await open(page, url, 'digits-mlp', colorScheme);
    const chart = (n) => page.locator('.plot-box canvas').nth(n);
    for (const [n, name] of ['loss', 'accuracy', 'rate', 'norm'].entries()) {
      await settled(page, chart(n));
      await same(page, chart(n), `${name}-${colorScheme}`);
    }
    await page.locator('.lossplot .plot-check input').check();
    await settled(page, chart(0));
    await same(page, chart(0), `loss-log-${colorScheme}`);
    await page.locator('.lossplot .plot-check input').uncheck();
    await page.locator('.plot-axis').selectOption('epoch');
    await settled(page, chart(1));
    await same(page, chart(1), `accuracy-epochs-${colorScheme}`);
    await page.locator('.plot-axis').selectOption('step');
    await page.locator('.plot-box').first().press('Home');
    for (let i = 0; i < 3; i++) await page.locator('.plot-box').first().press('+');
    await settled(page, chart(0));
    await same(page, chart(0), `loss-zoomed-${colorScheme}`);
    await same(page, await view(page, 'weights'), `weights-${colorScheme}`);
    await same(page, await view(page, 'activations'), `activations-${colorScheme}`);
  });

  e2e(`the boundary between the moons, ${colorScheme}`, options, async ({ page, url }) => {
    await open(page, url, 'mlp-moons', colorScheme);
    await same(page, await view(page, 'plane'), `boundary-${colorScheme}`);
  });

  e2e(`the filters of a convolution, ${colorScheme}`, options, async ({ page, url }) => {
    await open(page, url, 'digits-cnn', colorScheme);
    await page.locator('[data-layer]').nth(0).locator('.kind').first().click();
    await same(page, await view(page, 'weights'), `filters-${colorScheme}`);
  });
}

e2e('the comparison finds another picture', { path: null, firefox: false, context: { colorScheme: 'light', viewport: { width: 1440, height: 900 } } }, async ({ page, url }) => {
  if (process.env.NABLA_BLESS === '1') return;
  await open(page, url, 'digits-mlp', 'light');
  const chart = page.locator('.plot-box canvas').first();
  await page.locator('.lossplot .plot-slider input').fill('90');
  await settled(page, chart);
  await assert.rejects(same(page, chart, 'loss-zoomed-light'), /differ/);
});
