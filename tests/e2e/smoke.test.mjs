// The built site comes up under a sub-path, with and without cross-origin isolation.
import assert from 'node:assert/strict';
import { e2e } from './lib/harness.mjs';

for (const isolated of [false, true]) {
  e2e(`the page shows its heading${isolated ? ', isolated' : ''}`, { isolated }, async ({ page, shot }) => {
    await page.locator('h1').first().waitFor();
    assert.match(await page.title(), /Nabla/);
    assert.equal(await page.evaluate(() => crossOriginIsolated), isolated);
    await shot(isolated ? 'smoke-isolated' : 'smoke');
  });
}

e2e('the trainer loads as a module worker', async ({ page }) => {
  const answers = await page.evaluate(
    () =>
      new Promise((resolve, reject) => {
        const worker = new Worker('./trainer_loader.js', { type: 'module' });
        worker.onmessage = () => resolve(true);
        worker.onerror = (event) => reject(new Error(event.message));
      }),
  );
  assert.ok(answers);
});

e2e('without scripts the page says what it needs', { context: { javaScriptEnabled: false } }, async ({ page }) => {
  assert.match(await page.locator('noscript').innerText(), /JavaScript/);
});
