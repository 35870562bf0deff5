// The builder: cards, shapes, counts, and what it says of a network that does not fit together.
import assert from 'node:assert/strict';
import { e2e } from './lib/harness.mjs';
import { another, card, controls, enter, layers, phase, run, shape, slowly, trained, type } from './lib/page.mjs';

const outcome = (page, id) => card(page, id).locator('.outcome').innerText();

e2e('another number of units changes shapes and counts, and trains', async ({ page }) => {
  await trained(page);
  const before = await run(page);
  assert.match(await outcome(page, 'fc1'), /^64\s+4,160 p$/);
  assert.match(await page.locator('.totals').innerText(), /4,810 parameters/);

  await enter(card(page, 'fc1').getByLabel('Units'), '20');
  await another(page, before.id);
  assert.match(await outcome(page, 'fc1'), /^20\s+1,300 p$/);
  assert.match(await outcome(page, 'relu1'), /^20$/);
  assert.match(await outcome(page, 'fc2'), /^10\s+210 p$/);
  assert.match(await page.locator('.totals').innerText(), /1,510 parameters/);
  await trained(page, 200);
  const after = await run(page);
  assert.equal(after.info.params, 1510);
  assert.equal(after.info.layers[0].params, 1300);
  assert.ok(after.loss.at(-1) < after.loss[0]);

  // The arrow keys count, and what comes in quick succession undoes as one.
  const units = card(page, 'fc1').getByLabel('Units');
  await units.press('ArrowUp');
  await page.waitForFunction(() => nabla.current()?.info.params === 1585);
  assert.equal(await units.inputValue(), '21');
});

e2e('a layer can be added, moved by keys and removed', async ({ page, shot }) => {
  await trained(page);
  const { id } = await run(page);
  // The place behind fc1.
  await page.getByRole('button', { name: 'Add layer' }).nth(1).click();
  await page.getByRole('menuitem', { name: /^Dropout/ }).click();
  await shape(page, ['fc1', 'dropout1', 'relu1', 'fc2']);
  const dropout = card(page, 'dropout1');
  assert.equal(await dropout.getByLabel('Rate').inputValue(), '0.5');
  await another(page, id);
  await trained(page, 20);
  await shot('builder-dropout');

  await dropout.locator('.kind').focus();
  await page.keyboard.press('Alt+ArrowDown');
  await page.waitForFunction(() => document.querySelectorAll('[data-layer]')[2].dataset.layer === 'dropout1');
  await shape(page, ['fc1', 'relu1', 'dropout1', 'fc2']);
  await page.waitForFunction(() => document.activeElement.closest('[data-layer]')?.dataset.layer === 'dropout1');
  await page.waitForFunction(() => nabla.current()?.info.spec.layers[2].id === 'dropout1');
  await trained(page, 20);
  await page.keyboard.press('Alt+ArrowUp');
  await page.waitForFunction(() => document.querySelectorAll('[data-layer]')[1].dataset.layer === 'dropout1');

  await page.waitForFunction(() => document.activeElement.closest('[data-layer]')?.dataset.layer === 'dropout1');
  await page.keyboard.press('Delete');
  await dropout.waitFor({ state: 'detached' });
  await shape(page, ['fc1', 'relu1', 'fc2']);
  await page.waitForFunction(() => nabla.current()?.info.spec.layers.length === 3);
  // The focus has not fallen back to the top of the page.
  await page.waitForFunction(() => document.activeElement.closest('[data-layer]')?.dataset.layer === 'fc1');
  await trained(page, 20);
});

e2e('a card can be dragged by its handle', async ({ page }) => {
  await trained(page);
  const from = await card(page, 'fc2').locator('.handle').boundingBox();
  const to = await card(page, 'fc1').boundingBox();
  await page.mouse.move(from.x + from.width / 2, from.y + from.height / 2);
  await page.mouse.down();
  await page.mouse.move(from.x, to.y + to.height, { steps: 4 });
  await page.mouse.move(from.x, to.y + 2, { steps: 4 });
  await page.locator('.place.drop').waitFor();
  await page.mouse.up();
  await page.waitForFunction(() => document.querySelector('[data-layer]').dataset.layer === 'fc2');
  await shape(page, ['fc2', 'fc1', 'relu1']);
  await page.getByRole('button', { name: 'Undo' }).click();
  await page.waitForFunction(() => document.querySelector('[data-layer]').dataset.layer === 'fc1');
});

e2e('a network that does not fit says so on the card, and undo mends it', async ({ page, shot }) => {
  await slowly(page);
  await enter(card(page, 'fc2').getByLabel('Units'), '7');
  await phase(page, 'blocked');
  const error = card(page, 'fc2').getByRole('alert');
  assert.match(await error.innerText(), /10/);
  assert.equal(await card(page, 'fc1').getByRole('alert').count(), 0);
  const { play, step, reset } = controls(page);
  assert.ok(await play.isDisabled());
  assert.ok((await step.isDisabled()) && (await reset.isDisabled()));
  assert.match(await play.getAttribute('title'), /cannot train as it stands: .*10/s);
  assert.equal(await card(page, 'fc2').getByLabel('Units').getAttribute('aria-invalid'), 'true');
  await shot('builder-error');

  await page.keyboard.press('Escape');
  await page.getByRole('button', { name: 'Undo' }).click();
  await error.waitFor({ state: 'detached' });
  await phase(page, 'training');
  assert.equal(await card(page, 'fc2').getByLabel('Units').inputValue(), '10');
  await trained(page, 10);
});

e2e('without its last layer the network is blocked; redo and undo', async ({ page }) => {
  await trained(page);
  await card(page, 'fc2').locator('.kind').click();
  await card(page, 'fc2').getByRole('button', { name: 'Remove this layer' }).click();
  await phase(page, 'blocked');
  await shape(page, ['fc1', 'relu1']);
  assert.match(await card(page, 'relu1').getByRole('alert').innerText(), /10/);
  await page.getByRole('button', { name: 'Undo' }).click();
  await page.locator('.readout .phase-blocked').waitFor({ state: 'detached' });
  await shape(page, ['fc1', 'relu1', 'fc2']);
  await page.getByRole('button', { name: 'Redo' }).click();
  await phase(page, 'blocked');
  await page.evaluate(() => document.activeElement.blur());
  await page.keyboard.press('Control+z');
  await page.locator('.readout .phase-blocked').waitFor({ state: 'detached' });
  await trained(page, 10);
});

e2e('no layers at all', async ({ page }) => {
  await trained(page);
  for (const id of ['fc2', 'relu1', 'fc1']) {
    await card(page, id).locator('.kind').focus();
    await page.keyboard.press('Delete');
    await card(page, id).waitFor({ state: 'detached' });
  }
  await phase(page, 'blocked');
  assert.ok((await page.locator('.builder > .pane-body > .error').innerText()).length > 10);
  await page.getByRole('button', { name: 'Add layer' }).first().click();
  await page.getByRole('menuitem', { name: /^Linear/ }).click();
  await page.waitForFunction(() => document.querySelectorAll('[data-layer]').length === 1);
});

e2e('a residual network, built by hand', async ({ page, shot }) => {
  await trained(page);
  const { id } = await run(page);
  // Behind relu1: a further linear layer, then the sum of both.
  await page.getByRole('button', { name: 'Add layer' }).nth(2).click();
  await page.getByRole('menuitem', { name: /^Linear/ }).click();
  await page.waitForFunction(() => document.querySelectorAll('[data-layer]').length === 4);
  const [, , third] = await layers(page);
  // The cards are drawn anew when the run with the new layer begins.
  await page.waitForFunction(() => nabla.current()?.info.spec.layers.length === 4);
  await trained(page, 60);
  await enter(card(page, third).getByLabel('Units'), '64');
  await page.getByRole('button', { name: 'Add layer' }).nth(3).click();
  await page.getByRole('menuitem', { name: /^Add/ }).click();
  await page.waitForFunction(() => document.querySelectorAll('[data-layer]').length === 5);
  const sum = (await layers(page))[3];
  const reads = card(page, sum).getByRole('group', { name: 'Reads' });
  for (const name of ['relu1', third]) await reads.getByLabel(name, { exact: true }).check();
  await shot('builder-residual');
  await another(page, id);
  await page.waitForFunction((s) => nabla.current()?.info.spec.layers[3]?.id === s, sum);
  const { info } = await run(page);
  assert.deepEqual(info.spec.layers[3].inputs.toSorted(), ['relu1', third].toSorted());
  await trained(page, 50);
});

e2e('a renamed layer keeps its place in the network', async ({ page }) => {
  await trained(page);
  await card(page, 'fc1').locator('.kind').click();
  const name = card(page, 'fc1').getByLabel('Name');
  await enter(name, 'hidden');
  await card(page, 'hidden').waitFor();
  await page.waitForFunction(() => nabla.current()?.info.spec.layers[0].id === 'hidden');
  assert.ok(await page.evaluate(async () => (await nabla.current().tensors()).some((t) => t.name === 'hidden.weight')));
});

e2e('Keras speaks its own names', async ({ page }) => {
  await trained(page);
  const { id } = await run(page);
  await page.getByLabel('Framework').selectOption('keras');
  await another(page, id);
  assert.equal(await card(page, 'fc1').locator('.kind').innerText(), 'Dense');
  assert.equal((await run(page)).info.spec.framework, 'keras');
  await trained(page, 10);
});

e2e('what is being typed stays while the network trains', async ({ page }) => {
  await slowly(page);
  const units = card(page, 'fc1').getByLabel('Units');
  const rate = page.locator('.slider', { hasText: 'Learning rate' }).locator('input.number');
  for (const field of [units, rate]) {
    const before = await field.inputValue();
    await field.fill('3');
    const { step } = await run(page);
    await trained(page, step.length + 60);
    assert.equal(await field.inputValue(), '3');
    await field.fill(before);
  }
  assert.deepEqual((await run(page)).info.params, 4810);
});

e2e('what is being typed stays when a run with a new architecture begins', async ({ page }) => {
  await trained(page);
  const { id } = await run(page);
  await enter(card(page, 'fc1').getByLabel('Units'), '20');
  // The new run draws the cards anew, with marks of what has changed.
  const units = card(page, 'fc2').getByLabel('Units');
  await type(units, '1');
  await another(page, id);
  await trained(page, 20);
  assert.equal(await units.inputValue(), '1');
  await units.press('Escape');
  assert.equal(await units.inputValue(), '10');
  await phase(page, 'training');
});

e2e('undo takes back every kind of edit, and redo does it again', async ({ page }) => {
  await trained(page);
  const undo = page.getByRole('button', { name: 'Undo' });
  const redo = page.getByRole('button', { name: 'Redo' });
  const fields = page.locator('.setup');
  const edits = [
    () => enter(card(page, 'fc1').getByLabel('Units'), '20'),
    () => page.getByLabel('Framework').selectOption('keras'),
    () => enter(fields.getByLabel('Epochs', { exact: true }), '7'),
    () => fields.getByLabel('Shuffle each epoch').uncheck(),
    () => fields.locator('.field', { hasText: /^Optimizer/ }).locator('select').selectOption('rmsprop'),
    () => enter(fields.locator('.slider', { hasText: 'Learning rate' }).locator('input.number'), '0.02'),
    () => fields.locator('.slider', { hasText: 'Test set' }).locator('input[type="range"]').fill('0.5'),
    () => fields.locator('.field', { hasText: /^Source/ }).locator('select').selectOption({ label: 'Iris' }),
    async () => {
      await page.getByRole('button', { name: 'Add layer' }).last().click();
      await page.getByRole('menuitem', { name: /^Dropout/ }).click();
      await card(page, 'dropout1').waitFor();
    },
    async () => {
      await card(page, 'dropout1').locator('.kind').press('Control+g');
      await page.locator('[data-group="block1"]').waitFor();
    },
    async () => {
      await page.getByRole('button', { name: 'Remove all layers' }).click();
      await page.waitForFunction(() => !document.querySelector('[data-layer]'));
    },
  ];
  for (const edit of edits) {
    await edit();
    await page.waitForFunction(() => [...document.querySelectorAll('.builder .tools button')][1].disabled);
  }
  assert.ok(await page.locator('.edited').isVisible());
  const times = async (button) => {
    for (let n = 0; ; n++) {
      if (await button.isDisabled()) return n;
      await button.click();
    }
  };
  // An edit may be several steps, never less than one.
  const back = await times(undo);
  assert.ok(back >= edits.length, `${back} steps`);
  await page.locator('.edited').waitFor({ state: 'detached' });
  await shape(page, ['fc1', 'relu1', 'fc2']);
  assert.equal(await card(page, 'fc1').getByLabel('Units').inputValue(), '64');
  assert.equal(await fields.getByLabel('Epochs', { exact: true }).inputValue(), '60');
  assert.equal(await times(redo), back);
  await shape(page, []);
  assert.equal(await fields.getByLabel('Epochs', { exact: true }).inputValue(), '7');
  await undo.click();
  await page.locator('[data-group="block1"]').waitFor();
});
