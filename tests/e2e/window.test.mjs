// window.nabla on the page itself.
import assert from 'node:assert/strict';
import { e2e } from './lib/harness.mjs';
import { atRest, pause, phase, run, slowly, trained } from './lib/page.mjs';

e2e('the API is there before the page is, and current() is what the page shows', async ({ page }) => {
  await page.waitForFunction(() => globalThis.nabla);
  const hello = await page.evaluate(() => nabla.ready);
  assert.ok(hello.version && hello.cpu.threads >= 1, JSON.stringify(hello));
  await slowly(page);
  await trained(page, 5);
  await pause(page);
  const seen = await page.evaluate(async () => {
    const r = nabla.current();
    return { same: r === nabla.current(), name: r.info.spec.name, params: r.info.params, evaluation: await r.evaluate('test') };
  });
  assert.ok(seen.same);
  assert.equal(seen.name, 'digits-mlp');
  assert.equal(seen.params, 4810);
  await page.waitForFunction(
    (percent) => Math.abs(parseFloat(document.querySelector('.headline .first dd')?.textContent) - percent) < 0.06,
    seen.evaluation.accuracy * 100,
  );
});

e2e('what a script trains on the page’s run, the page shows', async ({ page }) => {
  await slowly(page);
  await trained(page, 3);
  await pause(page);
  const { step: before } = await run(page);
  const report = await page.evaluate(() => nabla.current().step());
  assert.equal(report.step, before.length);
  await page.waitForFunction((n) => document.querySelector('.readout > :nth-child(2)').title.startsWith(`Step ${n};`), before.length + 1);
  await atRest(page);
  // The page goes on from where the script stopped.
  await page.locator('.controls button').first().click();
  await trained(page, before.length + 5);
  assert.ok((await run(page)).step.every((s, i) => s === i));
});

e2e('check says what is wrong with a spec, and leaves the page alone', async ({ page }) => {
  await slowly(page);
  const { id } = await run(page);
  const [good, bad, mended, out] = await page.evaluate(async () => {
    const spec = await nabla.preset('digits-mlp');
    const good = await nabla.check(spec);
    spec.layers.at(-1).units = 7;
    const bad = await nabla.check(spec);
    // Out of bounds, so that it is no spec yet.
    spec.layers.at(-1).units = 0;
    return [good, bad, await nabla.check(bad.errors[0].repairs[0].spec), await nabla.check(spec)];
  });
  assert.ok(good.ok);
  assert.equal(good.params, 4810);
  assert.ok(!bad.ok);
  assert.equal(bad.errors[0].layer, 'fc2');
  const [{ id: repair, text }] = bad.errors[0].repairs;
  assert.deepEqual([repair, text], ['set-units', 'Set the units of fc2 to 10']);
  assert.ok(mended.ok);
  assert.equal(out.errors[0].repairs[0].spec.layers.at(-1).units, 1);
  assert.equal((await run(page)).id, id);
});

e2e('an own network trains beside the page’s', async ({ page }) => {
  await slowly(page);
  await trained(page, 3);
  const { id } = await run(page);
  const own = await page.evaluate(async () => {
    const spec = await nabla.preset('mlp-xor');
    const r = await nabla.load({ ...spec, name: 'mine', layers: [{ id: 'a', kind: 'linear', units: 6, activation: 'tanh' }, { id: 'b', kind: 'linear', units: 1 }] });
    const end = await r.train({ epochs: 60 });
    const { loss } = r.history();
    const { accuracy } = await r.evaluate('test');
    const shown = nabla.current().info.spec.name;
    await r.dispose();
    return { end, first: loss[0], last: loss.at(-1), accuracy, shown };
  });
  assert.equal(own.end.epoch, 60);
  assert.ok(own.last < own.first && own.accuracy > 0.8, JSON.stringify(own));
  assert.equal(own.shown, 'digits-mlp');
  const { length } = (await run(page)).step;
  await trained(page, length + 5);
  assert.equal((await run(page)).id, id);
  await phase(page, 'training');
});

e2e('with cross-origin isolation the page trains as well', { isolated: true }, async ({ page }) => {
  await trained(page, 100);
  assert.ok(await page.evaluate(() => crossOriginIsolated));
  const { loss } = await run(page);
  assert.ok(loss.at(-1) < loss[0]);
});
