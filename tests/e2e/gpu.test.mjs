// The GPU backend on the site. Chrome brings a WebGPU adapter of its own, of software: slow, and never
// taken unasked, but it computes as others do and can be lost as they can.
import assert from 'node:assert/strict';
import { e2e } from './lib/harness.mjs';
import { phase, run as shownRun, slowly, trained } from './lib/page.mjs';

const engine = { path: 'engine.html', firefox: false, timeout: 240_000 };

/** The worker that has the GPU backend. */
const worker = (page) => page.workers().find((w) => w.url().includes('trainer-gpu_loader'));

/**
 * Lets a test do to a device what drivers do: all devices of the worker are kept in `devices`; `stuck` many
 * mappings never end, and the wait for them is short, which it is for no other: a busy machine takes its
 * time; `full` makes what is allocated too much; `broken` makes kernels that no compiler takes.
 */
const KEEP = `
  globalThis.devices = [];
  globalThis.stuck = 0;
  let impatient = false;
  const request = GPUAdapter.prototype.requestDevice;
  GPUAdapter.prototype.requestDevice = async function (...how) {
    const device = await request.apply(this, how);
    impatient = false;
    devices.push(device);
    return device;
  };
  const map = GPUBuffer.prototype.mapAsync;
  GPUBuffer.prototype.mapAsync = function (...how) {
    if (stuck === 0) return map.apply(this, how);
    stuck--;
    impatient = true;
    return new Promise(() => {});
  };
  const later = setTimeout;
  globalThis.setTimeout = (f, ms, ...rest) => later(f, impatient && ms === 30_000 ? 300 : ms, ...rest);
  const pop = GPUDevice.prototype.popErrorScope;
  GPUDevice.prototype.popErrorScope = async function () {
    const told = await pop.call(this);
    return globalThis.full ? new GPUOutOfMemoryError('no room') : told;
  };
  const compile = GPUDevice.prototype.createShaderModule;
  GPUDevice.prototype.createShaderModule = function (how) {
    return compile.call(this, globalThis.broken ? { ...how, code: how.code + ' }' } : how);
  };
`;
async function keepDevices(context) {
  await context.route('**/trainer-gpu_loader.js*', async (route) => {
    const answer = await route.fetch();
    await route.fulfill({ response: answer, body: KEEP + (await answer.text()) });
  });
}

/** The largest relative difference; of values below `least`, relative to that. */
const apart = (a, b, least = 1e-3) => Math.max(...a.map((v, i) => Math.abs(v - b[i]) / Math.max(Math.abs(v), least)));
const count = (n) => Array.from({ length: n }, (_, i) => i);

/** For kernels compiled in software while others use the machine, in milliseconds. */
const PATIENT = 120_000;

/** Waits until the page's run has trained on from where it is now. */
async function goesOn(page) {
  const { step } = await shownRun(page);
  await page.waitForFunction((n) => nabla.current()?.history().step.length >= n, step.length + 3);
  await phase(page, 'training');
}

/** Waits until this is what the visitor chose to compute on. */
async function chosen(page, backend) {
  await page.waitForFunction((name) => [...document.querySelectorAll('select')].some((s) => s.value === name && s.labels[0]?.textContent.includes('Compute on')), backend);
}

e2e('asked for, the GPU learns the digits, and follows the CPU', engine, async ({ page }) => {
  const seen = await page.evaluate(async () => {
    const spec = await nabla.preset('digits-mlp');
    const run = await nabla.load(spec, { backend: 'webgpu' });
    const before = await run.evaluate('test');
    const end = await run.train({ epochs: 2 });
    const after = await run.evaluate('test');
    const cpu = await nabla.load(spec, { backend: 'cpu' });
    await cpu.train({ steps: 5 });
    const { backend, why, build } = run.info;
    return { backend, why, build, before, after, end, gpu: run.history(), cpu: cpu.history().loss };
  });
  assert.deepEqual([seen.backend, seen.why, seen.build], ['webgpu', 'gpu-asked', 'gpu']);
  assert.equal(seen.end.epoch, 2);
  assert.deepEqual(seen.gpu.step, count(seen.end.step));
  assert.ok(seen.after.accuracy > seen.before.accuracy + 0.3, `${seen.before.accuracy} to ${seen.after.accuracy}`);
  const first = seen.gpu.loss.slice(0, 5);
  assert.ok(apart(first, seen.cpu) < 2e-3, `${first} and ${seen.cpu}`);
});

e2e('an adapter of software is never taken unasked', engine, async ({ page }) => {
  const { hello, info } = await page.evaluate(async () => {
    const hello = await nabla.ready;
    const run = await nabla.load(await nabla.preset('mlp-moons'));
    return { hello, info: run.info };
  });
  assert.equal(hello.webgpu.software, true);
  assert.ok(Array.isArray(hello.webgpu.features));
  assert.deepEqual([info.backend, info.why], ['cpu', 'software-gpu']);
  assert.notEqual(info.build, 'gpu');
});

/** Makes the adapter pass for a real one, in the page or in a worker. */
const REAL = `
  Object.defineProperty(GPUAdapterInfo.prototype, 'isFallbackAdapter', { get: () => false });
  Object.defineProperty(GPUAdapterInfo.prototype, 'architecture', { get: () => 'real' });
`;

e2e('where the GPU passes for a real one, both backends are timed', { ...engine, path: null }, async ({ page, context, url }) => {
  await context.addInitScript(REAL);
  await context.route('**/trainer-gpu_loader.js*', async (route) => {
    const answer = await route.fetch();
    await route.fulfill({ response: answer, body: REAL + (await answer.text()) });
  });
  await page.goto(`${url}engine.html`);
  const { hello, first, info, history } = await page.evaluate(async () => {
    const hello = await nabla.ready;
    const run = await nabla.load(await nabla.preset('mlp-moons'));
    const first = run.info;
    const decided = new Promise((resolve) => run.on('backend', resolve));
    // Long enough for the GPU to be ready meanwhile, however fast the CPU is.
    await run.set({ stepsPerSecond: 300 });
    const train = run.train({ epochs: 1_000_000 });
    await decided;
    run.stop();
    await train;
    await run.train({ steps: 3 });
    return { hello, first, info: run.info, history: run.history() };
  });
  assert.equal(hello.webgpu.software, false);
  // The CPU trains until the GPU is ready to be timed.
  assert.deepEqual([first.build, first.backend, first.why, first.step], ['gpu', 'cpu', 'cpu-meanwhile', 0]);
  assert.ok([['cpu', 'cpu-faster'], ['webgpu', 'gpu-faster']].some(([b, w]) => info.backend === b && info.why === w), `${info.backend}: ${info.why}`);
  assert.deepEqual(history.step, count(history.step.length));
});

e2e('a choice that cannot be had gives way to the automatic one', { firefox: false, path: null }, async ({ page, context, url }) => {
  await context.addInitScript(() => {
    Object.defineProperty(Navigator.prototype, 'gpu', { value: undefined });
    localStorage.setItem('nabla.backend', '"webgpu"');
  });
  await page.goto(url);
  await page.locator('.notices [role="status"]', { hasText: 'no WebGPU here' }).waitFor();
  await trained(page, 3);
  assert.equal(await page.getByLabel('Compute on').inputValue(), 'auto');
  assert.equal(await page.evaluate(() => nabla.current().info.backend), 'cpu');
});

e2e('where there is no WebGPU, that is said, and nothing is loaded for it', { ...engine, path: null }, async ({ page, context, url }) => {
  await context.addInitScript(() => Object.defineProperty(Navigator.prototype, 'gpu', { value: undefined }));
  const asked = [];
  context.on('request', (request) => asked.push(request.url()));
  await page.goto(`${url}engine.html`);
  const { hello, info, error } = await page.evaluate(async () => {
    const hello = await nabla.ready;
    const spec = await nabla.preset('mlp-moons');
    const run = await nabla.load(spec);
    const error = await nabla.load(spec, { backend: 'webgpu' }).catch((e) => ({ code: e.code, message: e.message }));
    return { hello, info: run.info, error };
  });
  assert.equal(hello.webgpu, null);
  assert.deepEqual([info.backend, info.why], ['cpu', 'no-gpu']);
  assert.equal(error.code, 'no-webgpu');
  assert.match(error.message, /no WebGPU here: this browser has no navigator\.gpu\. Train on the CPU/);
  assert.deepEqual(asked.filter((a) => /gpu/.test(a)), []);
});

/** What is done to the device in mid-run, in its worker, and what the run then tells. */
const FAULTS = [
  ['whose device is lost', () => devices.at(-1)?.destroy(), 'new-device'],
  [
    'of which the driver refuses a command',
    () => devices.at(-1)?.createBuffer({ size: 16, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.STORAGE }),
    'new-device',
  ],
  ['that gets no answer', () => (globalThis.stuck = 1), 'new-device'],
  [
    'whose device runs out of memory',
    () => devices.at(-1)?.dispatchEvent(new GPUUncapturedErrorEvent('uncapturederror', { error: new GPUOutOfMemoryError('no room') })),
    'new-device',
  ],
  [
    'for which no new device has room',
    () => {
      globalThis.full = true;
      devices.at(-1)?.destroy();
    },
    'gpu-fault',
  ],
  [
    'whose kernels a new device does not compile',
    () => {
      globalThis.broken = true;
      devices.at(-1)?.destroy();
    },
    'gpu-fault',
  ],
];

/** Losses of an undisturbed run, made by the first test that asks. */
let calm;

for (const [what, fault, why] of FAULTS) {
  const options = { ...engine, path: null, allow: [/GPU|WebGPU|wgsl|parsing|no room|ShaderModule/i] };
  e2e(`a run ${what} goes on, and its losses are those of an undisturbed one`, options, async ({ page, context, url }) => {
    await keepDevices(context);
    await page.goto(`${url}engine.html`);
    const total = 60;
    calm ??= await page.evaluate(async (steps) => {
      const run = await nabla.load(await nabla.preset('mlp-moons'), { backend: 'webgpu' });
      await run.train({ steps });
      const { loss } = run.history();
      await run.dispose();
      return loss;
    }, total);
    await page.evaluate(async (steps) => {
      globalThis.run = await nabla.load(await nabla.preset('mlp-moons'), { backend: 'webgpu' });
      globalThis.told = [];
      run.on('backend', (e) => told.push(e.why));
      run.on('fault', (e) => told.push(e.message));
      await run.set({ stepsPerSecond: 20 });
      const under = new Promise((resolve) => run.on('tick', (t) => t.step > 3 && resolve()));
      globalThis.end = run.train({ steps });
      await under;
      // So slow that it is in mid-run when the device goes, however long that takes to arrange.
      await run.set({ stepsPerSecond: 1 });
    }, total);
    for (const w of page.workers().filter((w) => w.url().includes('trainer-gpu_loader'))) await w.evaluate(fault);
    const seen = await page.evaluate(async () => {
      await new Promise((resolve) => (told.length ? resolve() : run.on('backend', resolve)));
      await run.set({ stepsPerSecond: 0 });
      return { end: await end, told, lost: run.history(), info: run.info };
    });
    assert.deepEqual(seen.told, [why]);
    assert.deepEqual([seen.info.backend, seen.end.step, seen.end.stopped], [why === 'gpu-fault' ? 'cpu' : 'webgpu', total, undefined]);
    assert.deepEqual(seen.lost.step, count(total));
    if (why === 'new-device') assert.deepEqual(seen.lost.loss, calm);
    else assert.ok(apart(seen.lost.loss, calm) < 2e-2, `${apart(seen.lost.loss, calm)}`);
  });
}

e2e('kernels that do not compile are refused with the reason, and the page trains on the CPU', { ...engine, path: null, allow: [/GPU|wgsl|parsing|ShaderModule/i] }, async ({ page, context, url, shot }) => {
  await context.route('**/trainer-gpu_loader.js*', async (route) => {
    const answer = await route.fetch();
    await route.fulfill({ response: answer, body: `${KEEP} globalThis.broken = true;\n${await answer.text()}` });
  });
  await page.goto(`${url}engine.html`);
  const error = await page.evaluate(async () => nabla.load(await nabla.preset('mlp-moons'), { backend: 'webgpu' }).catch((e) => ({ code: e.code, message: e.message })));
  assert.equal(error.code, 'no-webgpu');
  assert.match(error.message, /refused a command: .*Train this network on the CPU/s);
  page.setDefaultTimeout(PATIENT);
  await page.goto(`${url}#preset=mlp-moons`);
  // Steps are few enough that training lasts.
  await slowly(page, 5);
  await page.getByLabel('Compute on').selectOption('webgpu');
  await page.locator('.notices [role="status"]', { hasText: 'does not run this network' }).waitFor();
  await shot('gpu-refused');
  await goesOn(page);
  await chosen(page, 'auto');
  const { step } = await page.evaluate(() => nabla.current().history());
  assert.deepEqual(step, count(step.length));
});

e2e('what a run has kept moves with it, and it trains on until it is there', engine, async ({ page }) => {
  const seen = await page.evaluate(async () => {
    const spec = await nabla.preset('mlp-moons');
    spec.data.split.validation = 0.2;
    spec.train.checkpoints = { monitor: 'val_loss', best_only: false };
    const run = await nabla.load(spec, { backend: 'cpu' });
    await run.train({ epochs: 2 });
    const before = await run.saved();
    const bytes = async (name) => Array.from(new Uint8Array(await run.savedFile(name)));
    const file = await bytes(before[0].name);
    await run.set({ stepsPerSecond: 40 });
    const steps = 4000;
    const train = run.train({ steps });
    const move = run.move('webgpu');
    // The network is in preparation there, and trains here.
    let ticks = 0;
    const off = run.on('tick', (t) => (ticks += run.info.backend === 'cpu' ? 1 : 0));
    await move;
    off();
    const there = await run.saved();
    const same = await bytes(there[0].name);
    run.stop();
    await train;
    await run.set({ stepsPerSecond: 0 });
    await run.train({ epochs: 1 });
    return { before, there, equal: JSON.stringify(file) === JSON.stringify(same), ticks, later: await run.saved(), info: run.info, step: run.history().step };
  });
  assert.equal(seen.before.length, 2);
  assert.deepEqual(seen.there.slice(0, 2), seen.before);
  assert.ok(seen.equal);
  assert.ok(seen.ticks > 0);
  assert.equal(seen.info.backend, 'webgpu');
  assert.ok(seen.later.length > 2);
  assert.deepEqual(seen.step, count(seen.step.length));
});

e2e('a run moves from the CPU to the GPU and back without losing a step', engine, async ({ page }) => {
  // Many, for it trains on while the network is prepared on the GPU.
  const total = 6000;
  const seen = await page.evaluate(async (steps) => {
    const spec = await nabla.preset('mlp-moons');
    const calm = await nabla.load(spec, { backend: 'cpu' });
    await calm.train({ steps });
    const run = await nabla.load(spec, { backend: 'cpu' });
    const beyond = (step) =>
      new Promise((resolve) => {
        const off = run.on('tick', (t) => {
          if (t.step < step) return;
          off();
          resolve();
        });
      });
    await run.set({ stepsPerSecond: 30 });
    const train = run.train({ steps });
    const places = [];
    const note = () => places.push([run.info.backend, run.info.why, run.history().step.length]);
    await beyond(3);
    note();
    await run.move('webgpu');
    note();
    await beyond(run.history().step.length + 2);
    await run.move('cpu');
    note();
    await run.set({ stepsPerSecond: 0 });
    const end = await train;
    const wrong = await run.move('tpu').catch((e) => e.code);
    return { places, end, wrong, calm: calm.history().loss, moved: run.history() };
  }, total);
  assert.deepEqual(
    seen.places.map(([backend, why]) => [backend, why]),
    [['cpu', 'cpu-asked'], ['webgpu', 'gpu-asked'], ['cpu', 'cpu-asked']],
  );
  for (const [, , step] of seen.places) assert.ok(step < total, 'it was done before it moved');
  assert.deepEqual([seen.end.step, seen.end.stopped], [total, undefined]);
  assert.deepEqual(seen.moved.step, count(total));
  // Bit for bit until it moves, and close in the first steps on the GPU.
  const there = seen.places[1][2];
  assert.deepEqual(seen.moved.loss.slice(0, there), seen.calm.slice(0, there));
  const first = [there, there + 3];
  assert.ok(apart(seen.moved.loss.slice(...first), seen.calm.slice(...first)) < 2e-2);
  assert.equal(seen.wrong, 'bad-spec');
});

e2e('the visitor chooses, and the page says calmly that a device was lost', { firefox: false, path: null, timeout: 360_000 }, async ({ page, context, url, shot }) => {
  page.setDefaultTimeout(PATIENT);
  await keepDevices(context);
  await page.goto(`${url}#preset=mlp-moons`);
  // Steps are few enough that training lasts.
  await slowly(page, 5);
  const name = page.locator('.readout .backend');
  const select = page.getByLabel('Compute on');
  await name.filter({ hasText: 'CPU' }).waitFor();
  await select.selectOption('webgpu');
  // The name and the reason change at once.
  await page.locator('.readout .backend[title*="as you chose"]', { hasText: 'WebGPU' }).waitFor();
  await page.waitForFunction(() => nabla.current()?.info.backend === 'webgpu');
  await goesOn(page);
  await worker(page).evaluate(() => devices.at(-1).destroy());
  // Where no new device is to be had, the CPU takes over; either is said in one line.
  const notice = page.locator('.notices [role="status"]', { hasText: /The graphics device was lost|the graphics device failed/ });
  await notice.first().waitFor();
  await shot('device-lost');
  await goesOn(page);
  await select.selectOption('cpu');
  await page.locator('.readout .backend[title*="as you chose"]', { hasText: 'CPU' }).waitFor();
  await page.waitForFunction(() => nabla.current()?.info.backend === 'cpu');
  await goesOn(page);
  const { disturbed, calm } = await page.evaluate(async () => {
    const disturbed = nabla.current().history();
    const run = await nabla.load(await nabla.preset('mlp-moons'), { backend: 'cpu' });
    await run.train({ steps: disturbed.step.length });
    return { disturbed, calm: run.history() };
  });
  assert.deepEqual(disturbed.step, calm.step);
  // The slower the machine, the more steps these are, and the further rounding takes the backends apart.
  const far = apart(disturbed.loss, calm.loss, 0.1);
  assert.ok(far < 5e-2, `${far} after ${calm.step.length} steps`);
  // The choice outlasts the visit.
  await page.reload();
  await trained(page, 1);
  await chosen(page, 'cpu');
});
