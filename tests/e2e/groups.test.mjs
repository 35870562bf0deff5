// The builder's groups and repairs, its beginner's view, and dragging with a finger.
import assert from 'node:assert/strict';
import { e2e } from './lib/harness.mjs';
import { card, enter, phase, run, shape, trained } from './lib/page.mjs';

const group = (page, name) => page.locator(`[data-group="${name}"]`);
const said = (page, words) => page.waitForFunction((w) => document.querySelector('.builder [aria-live].unseen')?.textContent.includes(w), words);

e2e('a residual block is one card that opens; layers move into it and out', async ({ page, shot }) => {
  await trained(page);
  await page.getByRole('button', { name: 'Add layer' }).nth(2).click();
  await page.getByRole('menuitem', { name: /^Residual block/ }).click();
  const block = group(page, 'residual1');
  await block.waitFor();
  // Closed, it hides its layers; all the same they are trained.
  await shape(page, ['fc1', 'relu1', 'fc2']);
  await page.waitForFunction(() => nabla.current()?.info.spec.layers.length === 8);
  const { info } = await run(page);
  assert.deepEqual(info.spec.layers.find((l) => l.kind === 'add').inputs, ['relu1', 'fc4']);
  await block.locator('.block-head .kind').click();
  await shape(page, ['fc1', 'relu1', 'fc3', 'relu2', 'fc4', 'add1', 'relu3', 'fc2']);
  await shot('builder-group');

  // By keys: past relu1, then into the open group.
  await card(page, 'fc1').locator('.kind').press('Alt+ArrowDown');
  await shape(page, ['relu1', 'fc1', 'fc3', 'relu2', 'fc4', 'add1', 'relu3', 'fc2']);
  await card(page, 'fc1').locator('.kind').press('Alt+ArrowDown');
  await block.locator('[data-layer="fc1"]').waitFor();
  await said(page, 'fc1 is now in the group residual1');
  await page.waitForFunction(() => document.activeElement.closest('[data-layer]')?.dataset.layer === 'fc1');
  await page.keyboard.press('Alt+ArrowUp');
  await block.locator('[data-layer="fc1"]').waitFor({ state: 'detached' });
  await said(page, 'fc1 is out of its group');

  // The whole group, dragged before everything by its handle.
  const from = await block.locator('.handle').first().boundingBox();
  const to = await card(page, 'relu1').boundingBox();
  await page.mouse.move(from.x + 8, from.y + 8);
  await page.mouse.down();
  await page.mouse.move(from.x + 8, to.y + 40, { steps: 4 });
  await page.mouse.move(from.x + 8, to.y - 4, { steps: 4 });
  await page.locator('.place.drop').waitFor();
  await page.mouse.up();
  await shape(page, ['fc3', 'relu2', 'fc4', 'add1', 'relu3', 'relu1', 'fc1', 'fc2']);
  // Copied, then dissolved: its layers stay.
  await block.locator('.block-head .kind').press('Control+d');
  await group(page, 'residual2').waitFor();
  await block.locator('.block-head .kind').press('Control+g');
  await block.waitFor({ state: 'detached' });
  assert.equal(await page.locator('.builder > .pane-body > .flow > .layers > [data-layer]').count(), 8);
});

e2e('chosen layers become a residual block, and a run goes on where only the grouping changes', async ({ page }) => {
  await trained(page);
  const { id } = await run(page);
  await card(page, 'fc1').locator('.kind').focus();
  await page.keyboard.press('Shift+ArrowDown');
  await page.getByRole('toolbar', { name: 'Chosen layers' }).waitFor();
  await page.keyboard.press('Control+g');
  await group(page, 'block1').waitFor();
  await said(page, 'block1');
  const { step } = await run(page);
  await trained(page, step.length + 20);
  assert.equal((await run(page)).id, id);

  // Away from its group, and with the mouse.
  await group(page, 'block1').locator('.block-head .kind').press('Control+g');
  await card(page, 'fc1').locator('.kind').click();
  await card(page, 'relu1').locator('.kind').click({ modifiers: ['Shift'] });
  await page.getByRole('button', { name: 'Residual', exact: true }).click();
  await group(page, 'residual1').waitFor();
  await page.waitForFunction(() => nabla.current()?.info.spec.layers[2]?.kind === 'add');
  assert.deepEqual((await run(page)).info.spec.layers[2].inputs, ['input', 'relu1']);
});

e2e('groups lie in groups, and connections past other cards are drawn beside them', async ({ page, shot }) => {
  await trained(page);
  await page.getByRole('button', { name: 'Add layer' }).nth(2).click();
  await page.getByRole('menuitem', { name: /^Residual block/ }).click();
  const block = group(page, 'residual1');
  await block.waitFor();
  // Closed, it reads the card before it: there is nothing to draw.
  await page.waitForFunction(() => document.querySelectorAll('.wires .wire').length === 0);
  await block.locator('.block-head .kind').click();
  const wire = (label) => page.getByRole('button', { name: label, exact: true });
  await wire('relu1 → add1, past 3 cards').waitFor();
  // Pointed at, it marks both of its ends.
  await wire('relu1 → add1, past 3 cards').focus();
  await page.locator('[data-layer="relu1"][data-lit]').waitFor();
  await page.locator('[data-layer="add1"][data-lit]').waitFor();
  await page.keyboard.press('Enter');
  await page.locator('[data-layer="add1"][aria-current="true"]').waitFor();

  // A group within the group, which takes two of the cards together when it is closed.
  await card(page, 'fc3').locator('.kind').focus();
  await page.keyboard.press('Shift+ArrowDown');
  await page.getByRole('toolbar', { name: 'Chosen layers' }).waitFor();
  await page.keyboard.press('Control+g');
  const inner = block.locator('[data-group="residual1/block1"]');
  await inner.waitFor();
  await shot('builder-nested');
  await inner.locator('.block-head .kind').click();
  await wire('relu1 → add1, past 2 cards').waitFor();
  // Out of it by keys, with what it holds, and back with Undo.
  await inner.locator('.block-head .kind').press('Alt+ArrowUp');
  await page.locator('.builder > .pane-body > .flow > .layers > [data-group="block1"]').waitFor();
  await said(page, 'block1 is out of its group');
  await page.getByRole('button', { name: 'Undo' }).click();
  await inner.waitFor();
});

e2e('what is wrong is mended at a click, and undone', async ({ page, shot }) => {
  await trained(page);
  await enter(card(page, 'fc2').getByLabel('Units'), '7');
  await phase(page, 'blocked');
  const mend = card(page, 'fc2').getByRole('button', { name: 'Set the units of fc2 to 10' });
  await mend.waitFor();
  await shot('builder-repair');
  await mend.click();
  await card(page, 'fc2').getByRole('alert').waitFor({ state: 'detached' });
  assert.equal(await card(page, 'fc2').getByLabel('Units').inputValue(), '10');
  await page.locator('.readout .phase-blocked').waitFor({ state: 'detached' });
  await page.getByRole('button', { name: 'Undo' }).click();
  await mend.waitFor();
  // A network without layers gets the one that it needs.
  await page.getByRole('button', { name: 'Remove all layers' }).click();
  await page.getByRole('button', { name: 'Add an output layer of 10' }).click();
  await shape(page, ['fc1']);
  await page.waitForFunction(() => nabla.current()?.info.spec.layers.length === 1);
});

e2e('the beginner’s view hides fields, loses none, and is remembered', async ({ page }) => {
  await trained(page);
  await card(page, 'fc1').locator('.kind').click();
  const inits = card(page, 'fc1').getByLabel('Initial weights');
  await inits.selectOption('he-normal');
  await card(page, 'fc1').getByLabel('Initial bias').waitFor();
  await page.getByRole('button', { name: 'Beginner' }).click();
  await card(page, 'fc1').getByLabel('Initial bias').waitFor({ state: 'hidden' });
  // What was set stays in sight.
  assert.ok(await inits.isVisible());
  await page.waitForFunction(() => nabla.current()?.info.spec.layers[0].weight_init?.kind === 'he_normal');
  await page.reload();
  await trained(page);
  await page.locator('.builder.simple').waitFor();
  await page.getByRole('button', { name: 'Full' }).click();
  await card(page, 'fc1').locator('.kind').click();
  await card(page, 'fc1').getByLabel('Initial bias').waitFor();
});

e2e('a finger drags a card', { firefox: false, context: { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true } }, async ({ page, context, shot }) => {
  await trained(page);
  await page.locator('.tabs button').nth(1).tap();
  const handle = card(page, 'fc2').locator('.handle');
  await handle.scrollIntoViewIfNeeded();
  const from = await handle.boundingBox();
  const to = await card(page, 'relu1').boundingBox();
  const cdp = await context.newCDPSession(page);
  const x = from.x + from.width / 2;
  const touch = (type, y) => cdp.send('Input.dispatchTouchEvent', { type, touchPoints: y === undefined ? [] : [{ x, y }] });
  const start = from.y + from.height / 2;
  await touch('touchStart', start);
  for (const share of [0.3, 0.6, 1]) await touch('touchMove', start + (to.y - 2 - start) * share);
  await page.locator('.place.drop').waitFor();
  await shot('builder-touch');
  await touch('touchEnd');
  await shape(page, ['fc1', 'fc2', 'relu1']);
});
