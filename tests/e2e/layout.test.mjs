// From 360 to 2560 pixels, in both languages and themes: nothing overlaps, no text is cut.
import assert from 'node:assert/strict';
import { e2e } from './lib/harness.mjs';
import { pause, trained } from './lib/page.mjs';

/** What is wrong with the layout of what is to be seen now, in words. */
const faults = (page) =>
  page.evaluate(() => {
    const found = [];
    const name = (e) => {
      const own = (x) => `${x.tagName.toLowerCase()}${x.id ? `#${x.id}` : ''}${[...x.classList].map((c) => `.${c}`).join('')}`;
      const text = (e.innerText ?? '').trim().replaceAll(/\s+/g, ' ').slice(0, 30);
      return `${e.parentElement ? `${own(e.parentElement)} > ` : ''}${own(e)} “${text}”`;
    };
    const shown = (e) => e.checkVisibility({ visibilityProperty: true }) && !e.closest('.unseen, [aria-hidden="true"]');
    const root = document.scrollingElement;
    if (root.scrollWidth > innerWidth) found.push(`the page is ${root.scrollWidth - innerWidth} px too wide`);
    const scrolls = (e) => /auto|scroll/.test(getComputedStyle(e).overflowX);
    for (const e of document.querySelectorAll('body *')) {
      if (!(e instanceof HTMLElement) || !shown(e)) continue;
      const style = getComputedStyle(e);
      const hasText = [...e.childNodes].some((n) => n.nodeType === Node.TEXT_NODE && n.data.trim());
      const field = ['SELECT', 'INPUT', 'TEXTAREA', 'OPTION', 'PROGRESS'].includes(e.tagName);
      // Cut text: what overflows a box that hides it.
      const hides = /hidden|clip/.test(`${style.overflowX} ${style.overflowY}`);
      const wide = e.scrollWidth - e.clientWidth;
      const high = e.scrollHeight - e.clientHeight;
      if (!field && hides && style.display !== 'inline' && (wide > 1 || high > 2) && e.innerText?.trim()) found.push(`cut by ${wide} × ${high} px: ${name(e)}`);
      if (hasText && !field && ['BUTTON', 'H1', 'H2', 'H3', 'H4', 'SUMMARY', 'DT', 'DD', 'LABEL'].includes(e.tagName) && style.display !== 'inline' && wide > 1 && !scrolls(e)) found.push(`text wider than its box by ${wide} px: ${name(e)}`);
      // Siblings that share a row or a column do not lie upon each other.
      if (!/flex|grid/.test(style.display)) continue;
      const boxes = [...e.children]
        .filter((c) => c instanceof HTMLElement && shown(c) && !/absolute|fixed|sticky/.test(getComputedStyle(c).position))
        .map((c) => [c, c.getBoundingClientRect()])
        .filter(([, b]) => b.width > 1 && b.height > 1);
      for (let i = 0; i < boxes.length; i++) {
        for (let j = i + 1; j < Math.min(boxes.length, i + 12); j++) {
          const [a, b] = [boxes[i][1], boxes[j][1]];
          const x = Math.min(a.right, b.right) - Math.max(a.left, b.left);
          const y = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
          if (x > 2 && y > 2) found.push(`overlap by ${Math.round(x)} × ${Math.round(y)} px: ${name(boxes[i][0])} and ${name(boxes[j][0])}`);
        }
      }
    }
    return [...new Set(found)];
  });

const sizes = [
  [360, 740],
  [390, 844],
  [768, 1024],
  [1024, 768],
  [1440, 900],
  [2560, 1300],
];

/** Walks all panes, tabs and cards at one size; `report` takes what is wrong where. */
async function walk(page, report) {
  const narrow = await page.locator('.tabs').isVisible();
  for (const pane of [1, 0, 2]) {
    if (narrow) await page.locator('.tabs button').nth(pane).click();
    else if (pane !== 2) continue;
    await report(['setup', 'network', 'result'][pane]);
  }
  const tabs = page.locator('.look-tabs button');
  for (let i = 0; i < (await tabs.count()); i++) {
    await tabs.nth(i).click();
    await page.waitForFunction(() => (document.querySelector('.look-panel')?.innerText.trim().length ?? 0) > 20);
    await report(await tabs.nth(i).textContent());
  }
  await tabs.first().click();
}

for (const locale of ['en-US', 'zh-CN']) {
  for (const colorScheme of ['light', 'dark']) {
    // Colours move nothing: the dark theme is looked at in the sizes of one column and of three.
    const some = colorScheme === 'light' ? sizes : [sizes[1], sizes[4]];
    e2e(`nothing overlaps and no text is cut, ${locale}, ${colorScheme}`, { context: { locale, colorScheme }, timeout: 170_000, firefox: colorScheme === 'light' }, async ({ page, shot }) => {
      const wrong = [];
      await trained(page, 40);
      await page.locator('.controls button').first().click();
      await page.locator('.readout .phase-paused').waitFor({ state: 'attached' });
      for (const [width, height] of some) {
        await page.setViewportSize({ width, height });
        // The page has answered a change of its size once two frames have been drawn.
        await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
        await walk(page, async (where) => {
          for (const fault of await faults(page)) wrong.push(`${width} px, ${where}: ${fault}`);
        });
        if (width === 360 || width === 1440) await shot(`layout-${locale}-${colorScheme}-${width}`);
      }
      assert.equal(wrong.join('\n'), '');
    });
  }
}

e2e('the numbers are in sight at 1440 × 900 without scrolling', { context: { viewport: { width: 1440, height: 900 } } }, async ({ page }) => {
  await trained(page, 40);
  await pause(page);
  const out = await page.evaluate(() => {
    const parts = ['.headline .figure', '.plot-figure', '.plot-facts', '.plot-at', '.look-tabs button:last-child', '.look-panel .view', '#pane-network [data-layer]', '.readout'];
    return parts.filter((s) => {
      const all = [...document.querySelectorAll(s)];
      return !all.length || all.some((e) => e.getBoundingClientRect().top < 0 || e.getBoundingClientRect().left < 0 || e.getBoundingClientRect().right > innerWidth || (s !== '.look-panel .view' && e.getBoundingClientRect().bottom > innerHeight));
    });
  });
  assert.deepEqual(out, []);
});
