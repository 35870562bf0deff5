// The guided tour.
import assert from 'node:assert/strict';
import { e2e } from './lib/harness.mjs';
import { tap, trained } from './lib/page.mjs';

const card = (page) => page.locator('.tour-card');
const offer = (page) => page.locator('.tour-offer');

/** Waits for a stop of the tour, and says whether card and ring are on the screen, the ring around its part of the page. */
async function stop(page, n) {
  await page.locator('.tour-steps .figure', { hasText: new RegExp(`^${n} `) }).waitFor();
  // The card has found its place when nothing of it moves any more.
  await page.waitForFunction(() => {
    const boxes = ['.tour-card', '.tour-ring'].map((s) => document.querySelector(s)?.getBoundingClientRect());
    if (boxes.some((b) => !b?.width)) return false;
    const now = JSON.stringify(boxes);
    const still = window.tourSeen === now && document.getAnimations().every((a) => !a.effect?.target?.matches?.('.tour-card, .tour-ring'));
    window.tourSeen = now;
    return still;
  }, null, { polling: 100 });
  return page.evaluate(() => {
    const within = (e) => {
      const b = e.getBoundingClientRect();
      return b.left >= 0 && b.top >= 0 && b.right <= innerWidth && b.bottom <= innerHeight && b.width > 20 && b.height > 10;
    };
    const [card, ring] = ['.tour-card', '.tour-ring'].map((s) => document.querySelector(s));
    const at = ring.getBoundingClientRect();
    const under = document.elementsFromPoint(at.left + at.width / 2, at.top + Math.min(at.height / 2, 20)).filter((e) => !e.closest('.tour-card'));
    return { card: within(card), ring: within(ring), focus: card.contains(document.activeElement), under: under[0]?.tagName ?? null };
  });
}

const sizes = [
  ['wide', { viewport: { width: 1440, height: 900 } }],
  ['small', { viewport: { width: 1024, height: 768 }, locale: 'zh-CN' }],
  ['phone', { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true }],
];
for (const [name, context] of sizes) {
  e2e(`a first visit is offered a tour that walks the page, ${name}`, { context, first: true, timeout: 90_000 }, async ({ page, shot }) => {
    await trained(page);
    await shot(`tour-offer-${name}`);
    await tap2(page, name, offer(page).locator('button').first());
    for (let n = 1; n <= 7; n++) {
      const seen = await stop(page, n);
      assert.deepEqual({ ...seen, under: !!seen.under }, { card: true, ring: true, focus: true, under: true }, `stop ${n}`);
      if ([1, 4, 6].includes(n)) await shot(`tour-${name}-${n}`);
      if (n < 7) await tap2(page, name, card(page).locator('.primary'));
    }
    await tap2(page, name, card(page).locator('.primary'));
    await card(page).waitFor({ state: 'detached' });
    assert.equal(await offer(page).count(), 0);
    await page.reload();
    await trained(page);
    assert.equal(await offer(page).count(), 0, 'it is not offered again');
  });
}

const tap2 = (page, name, element) => (name === 'phone' ? tap(element) : element.click());

e2e('the tour is declined, found in the menu, walked by keys and left by Escape', { first: true }, async ({ page }) => {
  await trained(page);
  await offer(page).locator('button').nth(1).press('Enter');
  await offer(page).waitFor({ state: 'detached' });
  assert.equal(await card(page).count(), 0);
  const more = page.getByRole('button', { name: 'More', exact: true });
  await more.press('Enter');
  await page.getByRole('menuitem', { name: 'A tour of the page' }).press('Enter');
  await stop(page, 1);
  await page.keyboard.press('ArrowRight');
  assert.ok((await stop(page, 2)).focus);
  await page.keyboard.press('ArrowLeft');
  await stop(page, 1);
  await page.keyboard.press('Escape');
  await card(page).waitFor({ state: 'detached' });
  await page.waitForFunction(() => document.activeElement.getAttribute('aria-haspopup') === 'menu', null);
});
