// Networks of tutorials, built from an empty canvas: by the mouse alone, and by the keyboard alone.
import assert from 'node:assert/strict';
import { e2e } from './lib/harness.mjs';
import { card, layers, phase, shows, trained } from './lib/page.mjs';

/** What is computed: the layers without their names. */
const plain = (all) => all.map(({ id, inputs, group, ...rest }) => rest);

/** The page's network is that of the preset, in the builder and in a run that trains. */
async function same(page, preset) {
  const wanted = plain((await page.evaluate((id) => nabla.preset(id), preset)).layers);
  const text = JSON.stringify(wanted);
  await page
    .waitForFunction((w) => {
      const spec = nabla.current()?.info.spec;
      return spec && JSON.stringify(spec.layers.map(({ id, inputs, group, ...rest }) => rest)) === w;
    }, text)
    .catch(() => {});
  assert.deepEqual(plain(await page.evaluate(() => nabla.current().info.spec.layers)), wanted);
  await trained(page, 1);
}

const count = (page, n) => page.waitForFunction((want) => document.querySelectorAll('[data-layer]').length === want, n);

/** Hands that hold a mouse and nothing else. */
const mouse = {
  async clear(page) {
    await page.getByRole('button', { name: 'Remove all layers' }).click();
    await count(page, 0);
  },
  async add(page, name) {
    const n = (await layers(page)).length;
    await page.getByRole('button', { name: 'Add layer' }).last().click();
    await page.getByRole('menuitem', { name: new RegExp(`^${name}\\b`) }).click();
    await count(page, n + 1);
    return (await layers(page)).at(-1);
  },
  async set(page, id, label, value) {
    const field = card(page, id).getByLabel(label, { exact: true });
    await field.click();
    await card(page, id).locator('.choices > span', { hasText: new RegExp(`^${value}$`) }).click();
    await page.waitForFunction(([of, want]) => [...document.querySelectorAll(`[data-layer="${of}"] .main-fields input`)].some((i) => i.value === want), [id, value]);
  },
  async mend(page, id, name) {
    await card(page, id).getByRole('button', { name }).click();
  },
};

/** Hands that hold a keyboard and nothing else. */
const keys = {
  /** Walks on by Tab until the focus is on what `is` tells of. */
  async to(page, is, arg) {
    for (let i = 0; i < 120; i++) {
      if (await page.evaluate(is, arg)) return;
      await page.keyboard.press('Tab');
    }
    assert.fail(`Tab does not come to ${is} ${arg}`);
  },
  async clear(page) {
    await keys.to(page, () => document.activeElement.getAttribute('aria-label') === 'Remove all layers');
    await page.keyboard.press('Enter');
    await count(page, 0);
    // The focus is where the first layer is added.
    await page.waitForFunction(() => document.activeElement.className === 'add');
  },
  async add(page, name) {
    const before = await layers(page);
    await page.keyboard.press(before.length ? '+' : 'Enter');
    await page.waitForFunction(() => document.activeElement.getAttribute('role') === 'menuitem');
    await page.keyboard.type(name);
    const word = name.toLowerCase();
    await page.waitForFunction((w) => document.activeElement.textContent.toLowerCase().startsWith(w), word);
    await page.keyboard.press('Enter');
    await count(page, before.length + 1);
    const id = (await layers(page)).find((l) => !before.includes(l));
    // The focus is on the title of the new card.
    await page.waitForFunction((l) => document.activeElement.matches(`[data-layer="${l}"] .kind`), id);
    return id;
  },
  async set(page, id, label, value) {
    await keys.to(page, ([l, name]) => document.activeElement.closest('[data-layer]')?.dataset.layer === l && document.activeElement.labels?.[0]?.textContent === name, [id, label]);
    await page.keyboard.press('ControlOrMeta+a');
    await page.keyboard.type(value);
    await page.keyboard.press('Enter');
    await page.waitForFunction((v) => document.activeElement.value === v, value);
    await keys.back(page, id);
  },
  /** From a field to the title of its card. */
  async back(page, id) {
    await page.keyboard.press('Escape');
    await page.waitForFunction((l) => document.activeElement.matches(`[data-layer="${l}"] .kind`), id);
  },
  async mend(page, id, name) {
    await card(page, id).getByRole('button', { name }).waitFor();
    await keys.to(page, (text) => document.activeElement.textContent === text, name);
    await page.keyboard.press('Enter');
  },
};

for (const [how, hand] of Object.entries({ mouse, keyboard: keys })) {
  // Real key events on lists and menus differ between drivers: Chrome's are taken.
  const options = (preset) => ({ path: `#preset=${preset}`, timeout: 240_000, firefox: false, context: { viewport: { width: 1440, height: 900 } } });

  e2e(`the dense network of the Keras tutorial, by the ${how} alone`, options('mnist-mlp'), async ({ page }) => {
    await shows(page, 'mnist-mlp');
    await trained(page, 1);
    await hand.clear(page);
    await phase(page, 'blocked');
    await hand.set(page, await hand.add(page, 'Dense'), 'Units', '512');
    await hand.add(page, 'Dropout');
    const last = await hand.add(page, 'Dense');
    await hand.set(page, last, 'Units', '10');
    // Softmax is what the loss asks for: the card says so, and offers it.
    await hand.mend(page, last, 'Set the activation to Softmax');
    await same(page, 'mnist-mlp');
  });

  e2e(`the convolutions of the PyTorch tutorial, by the ${how} alone`, options('cnn-pytorch'), async ({ page, shot }) => {
    await shows(page, 'cnn-pytorch');
    await hand.clear(page);
    for (const filters of ['32', '64']) {
      await hand.set(page, await hand.add(page, 'Conv2d'), 'Filters', filters);
      await hand.add(page, 'Activation');
      await hand.add(page, 'MaxPool2d');
    }
    await hand.add(page, 'Flatten');
    await hand.set(page, await hand.add(page, 'Linear'), 'Units', '128');
    await hand.add(page, 'Activation');
    await hand.set(page, await hand.add(page, 'Linear'), 'Units', '10');
    await shot(`canvas-cnn-${how}`);
    await same(page, 'cnn-pytorch');
  });

  e2e(`the LSTM over the rows of a digit, by the ${how} alone`, options('lstm'), async ({ page }) => {
    await shows(page, 'lstm');
    await hand.clear(page);
    await hand.set(page, await hand.add(page, 'LSTM'), 'Units', '128');
    const last = await hand.add(page, 'Linear');
    // As many units as there are classes.
    await hand.mend(page, last, `Set the units of ${last} to 10`);
    await same(page, 'lstm');
  });
}
