// What tests of the page itself share: its run, its phase, its controls.
import assert from 'node:assert/strict';
import { FIREFOX } from './chrome.mjs';

/** Waits until the page has a run that has trained at least `steps` steps. */
export async function trained(page, steps = 1) {
  await page.waitForFunction((n) => (globalThis.nabla?.current()?.history().step.length ?? -1) >= n, steps, { timeout: 45_000 });
}

/** Waits until the page says that it is `paused`, `training`, `finished`, `blocked`, … */
export async function phase(page, name) {
  await page.locator(`.readout .phase-${name}`).waitFor({ state: 'attached', timeout: 45_000 });
}

/** Waits until the page trains the preset of this name. */
export async function shows(page, id) {
  await page.waitForFunction((name) => globalThis.nabla?.current()?.info.spec.name === name, id, { timeout: 45_000 });
}

/** The page's run as plain data. */
export function run(page) {
  return page.evaluate(() => {
    const r = nabla.current();
    return r && { id: r.info.run, info: r.info, ...r.history() };
  });
}

/** Waits for another run than the one with this id. */
export async function another(page, id) {
  await page.waitForFunction((before) => (nabla.current()?.info.run ?? before) !== before, id);
}

/** The main button (Train, Pause, Train more), one step, start over. */
export function controls(page) {
  const button = (n) => page.locator('.controls button').nth(n);
  return { play: button(0), step: button(1), reset: button(2) };
}

/** Starts over at so few steps per second that training lasts as long as the test. */
export async function slowly(page, speed = 100) {
  await trained(page, 1);
  const { id } = await run(page);
  // Hidden on a phone, but at work there.
  await page.locator('.speed select').selectOption(`${speed}`, { force: true });
  await controls(page).reset.click();
  await page.waitForFunction((run) => {
    const r = nabla.current();
    return r?.info.run === run && r.info.step === 0 && r.history().step.length < 500;
  }, id);
  await phase(page, 'training');
}

/** Presses Pause and waits until no step is under way. */
export async function pause(page) {
  await page.getByRole('button', { name: 'Pause' }).click();
  await phase(page, 'paused');
  await atRest(page);
}

/** Presses Pause, unless a short run is over before. */
export async function rest(page) {
  await page.evaluate(() => [...document.querySelectorAll('.controls button')].find((b) => b.textContent.includes('Pause'))?.click());
  await page.locator('.readout :is(.phase-paused, .phase-finished)').waitFor({ state: 'attached' });
  await atRest(page);
}

/** Waits until the run has answered twice without a step between. */
export async function atRest(page) {
  await page.evaluate(async () => {
    const r = nabla.current();
    const { name } = (await r.tensors())[0];
    for (let before = -1; before !== r.history().step.length; ) {
      before = r.history().step.length;
      await r.tensor(name);
      await r.tensor(name);
    }
  });
}

/** The card of a layer in the builder. */
export const card = (page, id) => page.locator(`[data-layer="${id}"]`);

/** Ids of the layers as the builder lists them. */
export const layers = (page) => page.locator('[data-layer]').evaluateAll((all) => all.map((e) => e.dataset.layer));

/** What the page says about something that went wrong. */
export const trouble = (page) => page.locator('.notices [role="alert"]');

/** Types `text` in place of what a field holds, key by key: Firefox tells a page of no change made any other way. */
export async function type(field, text) {
  await field.press('ControlOrMeta+a');
  await field.pressSequentially(text);
}

/** As `type` does, and presses Enter. */
export async function enter(field, text) {
  await type(field, text);
  await field.press('Enter');
}

/** Taps with a finger; a click in Firefox, whose driver's touches end in none. */
export async function tap(element) {
  await (FIREFOX ? element.click() : element.tap());
}

/** Waits until the builder's cards are these layers, in this order. */
export async function shape(page, wanted) {
  const same = (list) => JSON.stringify([...document.querySelectorAll('[data-layer]')].map((e) => e.dataset.layer)) === JSON.stringify(list);
  // The assertion says what there is instead.
  await page.waitForFunction(same, wanted).catch(() => {});
  assert.deepEqual(await layers(page), wanted);
}
