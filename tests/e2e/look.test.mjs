// Languages, themes and sizes of the window.
import assert from 'node:assert/strict';
import { e2e } from './lib/harness.mjs';
import { enter, phase, slowly, tap, trained } from './lib/page.mjs';

const WORDS = {
  en: { data: 'Data', training: 'Training', network: 'Network', tabs: ['Data & training', 'Network', 'Result'] },
  'zh-CN': { data: '数据', training: '训练', network: '网络', tabs: ['数据与训练', '网络', '结果'] },
};

const lang = (page) => page.locator('html').getAttribute('lang');
const theme = (page) => page.locator('html').getAttribute('data-theme');

async function speaks(page, tag) {
  await page.locator(`html[lang="${tag}"]`).waitFor();
  const words = WORDS[tag];
  assert.equal(await page.locator('#data-title').textContent(), words.data);
  assert.equal(await page.locator('#training-title').textContent(), words.training);
  assert.equal(await page.locator('#builder-title').textContent(), words.network);
  assert.deepEqual(await page.locator('.tabs button').allTextContents(), words.tabs);
}

/** Texts of the page, names for assistive technology included, that fit a pattern. */
function texts(page, pattern) {
  return page.evaluate((source) => {
    const wanted = new RegExp(source);
    const found = [];
    for (const e of document.querySelectorAll('body *')) {
      const own = [...e.childNodes].filter((n) => n.nodeType === Node.TEXT_NODE).map((n) => n.data);
      for (const text of [...own, e.title, e.getAttribute('aria-label')]) {
        if (text && wanted.test(text) && !e.closest('[lang]:not(html), script, style, noscript, pre')) found.push(text.trim());
      }
    }
    return [...new Set(found)];
  }, pattern.source);
}

/** The views of the look inside, one after the other. */
async function eachView(page, f) {
  const tabs = page.locator('.look-tabs button');
  for (let i = 0; i < (await tabs.count()); i++) {
    await tabs.nth(i).click();
    await page.locator('.look-panel .view').first().waitFor();
    await f(await tabs.nth(i).textContent());
  }
}

const KEY = /^[a-z0-9]+(-[a-z0-9]+)+$/;

e2e('English and Chinese, remembered for the next visit', { timeout: 110_000 }, async ({ page, shot }) => {
  await trained(page);
  await speaks(page, 'en');
  assert.deepEqual((await texts(page, /\p{Script=Han}/u)).filter((t) => t !== '中文'), []);
  await page.getByRole('button', { name: '中文' }).click();
  await speaks(page, 'zh-CN');
  assert.match(await page.title(), /深度学习/);
  await eachView(page, async (name) => {
    assert.match(name, /\p{Script=Han}/u);
    assert.deepEqual((await texts(page, KEY)).filter((t) => !/^(fc|relu|grad|exp)/.test(t)), [], `a message is missing in ${name}`);
  });
  await shot('wide-zh');
  await page.reload();
  await trained(page);
  await speaks(page, 'zh-CN');
  await page.locator('.language').click();
  await speaks(page, 'en');
  await page.reload();
  await trained(page);
  await speaks(page, 'en');
});

e2e('a Chinese browser gets a Chinese page', { context: { locale: 'zh-CN' } }, async ({ page }) => {
  await trained(page);
  await speaks(page, 'zh-CN');
});

e2e('any other browser gets an English page', { context: { locale: 'fr-FR' } }, async ({ page }) => {
  await trained(page);
  await speaks(page, 'en');
});

e2e('what is wrong is said in Chinese as well', { context: { locale: 'zh-CN' } }, async ({ page }) => {
  await trained(page);
  const units = page.locator('[data-layer="fc2"] input.number');
  await enter(units, '7');
  const error = page.locator('[data-layer="fc2"] [role="alert"]');
  assert.match(await error.innerText(), /\p{Script=Han}.*10/su);
});

for (const colorScheme of ['light', 'dark']) {
  // Firefox's driver cannot make the browser prefer a theme yet.
  const firefox = colorScheme === 'light';
  e2e(`the theme is the browser's, ${colorScheme}, until another is chosen`, { context: { colorScheme }, firefox }, async ({ page }) => {
    await trained(page);
    const other = colorScheme === 'light' ? 'dark' : 'light';
    const ground = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    assert.equal(await theme(page), colorScheme);
    const first = await ground();
    await page.getByRole('button', { name: `${other} theme`, exact: false }).click();
    await page.locator(`html[data-theme="${other}"]`).waitFor();
    assert.notEqual(await ground(), first);
    await page.reload();
    await trained(page);
    assert.equal(await theme(page), other);
    await page.getByRole('button', { name: `${colorScheme} theme`, exact: false }).click();
    await page.locator(`html[data-theme="${colorScheme}"]`).waitFor();
    assert.equal(await ground(), first);
  });
}

/** How far the page is wider or higher than the window. */
const excess = (page) =>
  page.evaluate(() => {
    const e = document.scrollingElement;
    return { x: e.scrollWidth - innerWidth, y: e.scrollHeight - innerHeight };
  });

/** Elements that reach beyond the right edge and that nothing around them scrolls or cuts. */
const beyond = (page) =>
  page.evaluate(() =>
    [...document.querySelectorAll('body *')]
      .filter((e) => {
        const r = e.getBoundingClientRect();
        if (!r.width || !r.height || r.right <= innerWidth + 0.5) return false;
        for (let p = e.parentElement; p; p = p.parentElement) {
          if (getComputedStyle(p).overflowX !== 'visible') return false;
        }
        return getComputedStyle(e).position !== 'fixed' || r.left < innerWidth;
      })
      .map((e) => `${e.tagName}.${e.className}`),
  );

/** Texts of buttons, tabs and headings that their boxes cut off. */
const cut = (page) =>
  page.evaluate(() =>
    [...document.querySelectorAll('button, h1, h2, h3, h4, summary, .label, .plot-key')]
      .filter((e) => e.getClientRects().length && e.scrollWidth > e.clientWidth + 1 && getComputedStyle(e).display !== 'inline')
      .map((e) => e.textContent.trim()),
  );

for (const locale of ['en-US', 'zh-CN']) {
  const tag = locale === 'en-US' ? 'en' : 'zh-CN';
  const phone = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true, deviceScaleFactor: 2, locale };
  e2e(`on a phone, ${tag}`, { context: phone, timeout: 110_000 }, async ({ page, shot }) => {
    await slowly(page, 20);
    const [setup, network, result] = [0, 1, 2].map((n) => page.locator('.tabs button').nth(n));
    assert.ok(await page.locator('#pane-result').isVisible(), 'it opens on the result');
    const views = [
      [setup, '#pane-setup', 'setup'],
      [result, '#pane-result', 'result'],
      [network, '#pane-network', 'network'],
    ];
    for (const [tab, pane, name] of views) {
      await tap(tab);
      await page.locator(pane).waitFor();
      for (const [, other] of views) assert.equal(await page.locator(other).isVisible(), other === pane, other);
      assert.equal(await tab.getAttribute('aria-selected'), 'true');
      assert.ok((await excess(page)).x <= 0, `${name} is ${(await excess(page)).x} px too wide`);
      assert.deepEqual(await beyond(page), [], name);
      assert.deepEqual(await cut(page), [], name);
      const play = page.locator('.controls button').first();
      assert.ok(await play.isVisible());
      const box = await play.boundingBox();
      assert.ok(box.x >= 0 && box.x + box.width <= 390 && box.y + box.height <= 844 && box.height >= 32, JSON.stringify(box));
      await shot(`phone-${tag}-${name}`);
    }
    // The same button pauses and trains on.
    const play = page.locator('.controls button').first();
    await tap(play);
    await phase(page, 'paused');
    await tap(play);
    await phase(page, 'training');
    await tap(result);
    await eachView(page, async (name) => {
      assert.ok((await excess(page)).x <= 0, `${name} is ${(await excess(page)).x} px too wide`);
      assert.deepEqual(await beyond(page), [], name);
    });
    await tap(page.locator('.language'));
    await speaks(page, tag === 'en' ? 'zh-CN' : 'en');
    assert.ok((await excess(page)).x <= 0);
  });

  for (const [width, height] of [[1024, 768], [1440, 900]]) {
    e2e(`at ${width}×${height}, ${tag}, nothing scrolls but the panes`, { context: { viewport: { width, height }, locale } }, async ({ page, shot }) => {
      await trained(page, 100);
      assert.ok(!(await page.locator('.tabs').isVisible()));
      for (const pane of ['#pane-setup', '#pane-network', '#pane-result']) assert.ok(await page.locator(pane).isVisible());
      const { x, y } = await excess(page);
      assert.ok(x <= 0 && y <= 0, `the page is ${x} px too wide and ${y} px too high`);
      assert.deepEqual(await beyond(page), []);
      assert.deepEqual(await cut(page), []);
      const bar = await page.locator('.bar').boundingBox();
      assert.ok(bar.height < 60, `the bar is ${bar.height} px high`);
      await shot(`${width}-${tag}`);
      await page.locator('.settings .button').nth(1).click();
      await shot(`${width}-${tag}-dark`);
    });
  }
}

e2e('panes are resized by keys and by the pointer, and restored', async ({ page }) => {
  await trained(page);
  const width = async () => (await page.locator('#pane-setup').boundingBox()).width;
  const first = await width();
  const bar = page.getByRole('separator', { name: 'Width of the settings' });
  await bar.press('ArrowRight');
  await page.waitForFunction((w) => document.querySelector('#pane-setup').getBoundingClientRect().width > w + 10, first);
  const box = await bar.boundingBox();
  await page.mouse.move(box.x + 2, 300);
  await page.mouse.down();
  await page.mouse.move(box.x + 62, 300, { steps: 4 });
  await page.mouse.up();
  await page.waitForFunction((w) => document.querySelector('#pane-setup').getBoundingClientRect().width > w + 60, first);
  const wide = await width();
  await page.reload();
  await trained(page);
  assert.ok(Math.abs((await width()) - wide) <= 1);
  await page.getByRole('button', { name: 'More', exact: true }).click();
  await page.getByRole('menuitem', { name: 'Restore the layout' }).click();
  await page.waitForFunction((w) => Math.abs(document.querySelector('#pane-setup').getBoundingClientRect().width - w) <= 1, first);
});
