// Keyboard and assistive technology.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './lib/chrome.mjs';
import { e2e } from './lib/harness.mjs';
import { enter, phase, trained } from './lib/page.mjs';

const AXE = readFileSync(join(ROOT, 'node_modules/axe-core/axe.min.js'), 'utf8');

/** Trains to the end, so that nothing changes any more. */
async function atEnd(page) {
  await trained(page);
  await page.locator('.speed select').selectOption('0');
  await phase(page, 'finished');
}

/** Serious and critical violations, each with the elements that have it. */
async function violations(page) {
  if (!(await page.evaluate(() => globalThis.axe?.version))) await page.evaluate(AXE);
  return page.evaluate(async () => {
    // A fade would be measured half-way.
    await Promise.all(document.getAnimations().filter((a) => a.effect.getComputedTiming().iterations === 1).map((a) => a.finished.catch(() => {})));
    const { violations: found } = await axe.run(document, { resultTypes: ['violations'] });
    return found
      .filter((v) => ['serious', 'critical'].includes(v.impact))
      .map((v) => `${v.id} (${v.impact}): ${v.help}\n${v.nodes.map((n) => `    ${n.target} — ${n.any[0]?.message ?? n.failureSummary}`).join('\n')}`);
  });
}

const wide = { width: 1440, height: 900 };

for (const colorScheme of ['light', 'dark']) {
  e2e(`no serious fault that axe finds, ${colorScheme}`, { context: { viewport: wide, colorScheme }, timeout: 170_000 }, async ({ page }) => {
    const faults = new Set();
    const check = async (where) => {
      for (const v of await violations(page)) faults.add(`${where}: ${v}`);
    };
    await atEnd(page);
    const tabs = page.locator('.look-tabs button');
    for (let i = 0; i < (await tabs.count()); i++) {
      await tabs.nth(i).click();
      await page.waitForFunction(() => (document.querySelector('.look-panel')?.innerText.trim().length ?? 0) > 20);
      await check(await tabs.nth(i).textContent());
    }
    await page.locator('[data-layer="fc1"] .kind').click();
    await page.locator('details.more').evaluateAll((all) => all.forEach((d) => (d.open = true)));
    await check('a card and all details open');
    await page.getByRole('button', { name: 'More', exact: true }).click();
    await check('the menu open');
    await page.keyboard.press('Escape');
    const units = page.locator('[data-layer="fc2"] input.number');
    await enter(units, '7');
    await phase(page, 'blocked');
    await check('a network that does not fit');
    assert.equal([...faults].join('\n'), '');
  });
}

e2e('no serious fault on a phone and in Chinese', { context: { viewport: { width: 390, height: 844 }, locale: 'zh-CN' }, timeout: 110_000 }, async ({ page }) => {
  await trained(page);
  for (const n of [0, 1, 2]) {
    await page.locator('.tabs button').nth(n).click();
    assert.equal((await violations(page)).join('\n'), '');
  }
});

e2e('Tab reaches every control in order, and shows where it is', { context: { viewport: wide }, timeout: 110_000 }, async ({ page }) => {
  await atEnd(page);
  await page.evaluate(() => {
    document.activeElement.blur();
    getSelection().removeAllRanges();
  });
  const seen = [];
  for (let i = 0; i < 200; i++) {
    await page.keyboard.press('Tab');
    const at = await page.evaluate(() => {
      const e = document.activeElement;
      if (!e || e === document.body) return null;
      e.dataset.tabbed = 'yes';
      const style = getComputedStyle(e);
      const area = e.closest('.bar, #pane-setup, #pane-network, .plot-pane, .inside, .splitter');
      const box = e.getBoundingClientRect();
      return {
        area: area ? area.id || area.className.split(' ').at(-1) : '?',
        what: `${e.tagName} ${e.getAttribute('aria-label') ?? e.labels?.[0]?.textContent ?? e.textContent}`.slice(0, 60),
        outline: style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) > 0,
        inSight: box.width > 0 && box.height > 0 && box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth,
      };
    });
    if (!at) break;
    seen.push(at);
  }
  assert.deepEqual(seen.filter((s) => !s.outline).map((s) => s.what), [], 'the focus is not to be seen');
  assert.deepEqual(seen.filter((s) => !s.inSight).map((s) => s.what), [], 'the focus is out of sight');
  const areas = seen.map((s) => s.area).filter((a, i, all) => a !== all[i - 1] && !/splitter|flat/.test(a));
  assert.deepEqual(areas, ['bar', 'pane-setup', 'pane-network', 'plot-pane', 'inside']);
  const missed = await page.evaluate(() =>
    [...document.querySelectorAll('button, input, select, textarea, summary, [tabindex="0"]')]
      .filter((e) => !e.dataset.tabbed && !e.disabled && e.tabIndex >= 0 && e.checkVisibility() && e.type !== 'file')
      .map((e) => e.outerHTML.slice(0, 120)),
  );
  assert.deepEqual(missed, []);
});

e2e('menus open, walk and close by keys', async ({ page }) => {
  await trained(page);
  const more = page.getByRole('button', { name: 'More', exact: true });
  await more.focus();
  await page.keyboard.press('Enter');
  const menu = page.getByRole('menu');
  await menu.waitFor();
  await page.keyboard.press('Escape');
  await menu.waitFor({ state: 'detached' });
  const add = page.getByRole('button', { name: 'Add layer' }).last();
  await add.focus();
  await page.keyboard.press('Enter');
  await menu.waitFor();
  await page.waitForFunction(() => document.activeElement.getAttribute('role') === 'menuitem');
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Escape');
  await menu.waitFor({ state: 'detached' });
  assert.equal(await page.evaluate(() => document.activeElement.className), 'add');

  // The tabs of the look inside are one stop; arrows walk among them.
  const tabs = page.locator('.look-tabs button');
  await tabs.first().focus();
  await page.keyboard.press('ArrowRight');
  await page.waitForFunction(() => document.querySelectorAll('.look-tabs button')[1].getAttribute('aria-selected') === 'true');
  assert.equal(await tabs.nth(1).evaluate((e) => e === document.activeElement), true);
});
