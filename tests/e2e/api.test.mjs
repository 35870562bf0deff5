// window.nabla on the bare page.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './lib/chrome.mjs';
import { e2e } from './lib/harness.mjs';

const engine = { path: 'engine.html' };

/** Opens the engine, then runs `f` in the page. */
async function on(page, f, argument) {
  await page.waitForFunction(() => globalThis.nabla);
  await page.evaluate(() => nabla.ready);
  return page.evaluate(f, argument);
}

/** The code of the error that `f` rejects with. */
function codes(page, list) {
  return on(page, async (sources) => {
    const out = [];
    for (const source of sources) {
      try {
        await eval(`(async () => { ${source} })()`);
        out.push('nothing');
      } catch (e) {
        JSON.parse(e.failure);
        out.push(e.message ? e.code : 'no message');
      }
    }
    return out;
  }, list);
}

e2e('presets load, check and train a step each', { ...engine, timeout: 120_000 }, async ({ page }) => {
  const seen = await on(page, async () => {
    const out = [];
    for (const { id, title, framework, task } of nabla.presets()) {
      const spec = await nabla.preset(id);
      const check = await nabla.check(spec);
      const run = await nabla.load(spec);
      const end = await run.train({ steps: 3 });
      const { loss, step } = run.history();
      out.push({ id, title, framework, task, check, end, loss, step, info: run.info, current: nabla.current() });
      await run.dispose();
    }
    return out;
  });
  assert.ok(seen.length >= 10);
  for (const p of seen) {
    assert.ok(p.check.ok, `${p.id}: ${JSON.stringify(p.check.errors)}`);
    assert.equal(p.check.params, p.info.params, p.id);
    assert.deepEqual(p.step, [0, 1, 2], p.id);
    assert.ok(p.loss.every((l) => Number.isFinite(l)), p.id);
    assert.equal(p.end.step, 3, p.id);
    assert.ok(!('stopped' in p.end), p.id);
    assert.equal(p.info.backend, 'cpu');
    assert.equal(p.current, null);
  }
});

e2e('digits: train, evaluate, predict, look inside', engine, async ({ page }) => {
  const r = await on(page, async () => {
    const run = await nabla.load(await nabla.preset('digits-mlp'));
    const ticks = [];
    const epochs = [];
    run.on('tick', (t) => ticks.push(t.steps));
    const off = run.on('epoch', (e) => epochs.push(e.epoch));
    const end = await run.train({ epochs: 10 });
    const ticked = ticks.reduce((a, b) => a + b);
    off();
    const test = await run.evaluate('test');
    const samples = await run.samples('test', 0, 5);
    const prediction = await run.predict(samples.x.data, samples.x.shape);
    const nested = await run.predict([Array.from(samples.x.data.subarray(0, 64))]);
    const tensors = await run.tensors();
    const weight = await run.tensor('fc1.weight');
    const step = await run.step();
    const rates = await run.set({ learningRate: 0.0005, stepsPerSecond: 0 });
    const time = await run.time({ steps: 20, warmup: 2 });
    const h = run.history();
    return {
      end, test, epochs, step, rates, time, tensors, info: run.info,
      ticked, rows: h.loss.length, consecutive: h.step.every((s, i) => s === i), val: h.val,
      metrics: Object.keys(h.metrics), sum: prediction.data.slice(0, 10).reduce((a, b) => a + b),
      same: nested.data.every((v, i) => Math.abs(v - prediction.data[i]) < 1e-5),
      prediction: prediction.shape, labels: samples.y.length, weight: [weight.shape, weight.data.length],
    };
  });
  const perEpoch = r.info.stepsPerEpoch;
  assert.equal(r.end.step, perEpoch * 10);
  assert.equal(r.end.epoch, 10);
  // A coarse clock may see nothing of so short a training.
  assert.ok(r.end.seconds >= 0);
  assert.equal(r.ticked, r.end.step);
  assert.deepEqual(r.epochs, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  assert.deepEqual(r.val.map((v) => v.epoch), r.epochs);
  assert.equal(r.val[9].step, r.end.step);
  assert.ok(r.val[9].accuracy > 0.85 && r.test.accuracy > 0.85, JSON.stringify([r.val[9].accuracy, r.test.accuracy]));
  assert.equal(r.test.confusion.length, 10);
  assert.ok(Math.abs(r.sum - 1) < 1e-4);
  assert.ok(r.same);
  assert.deepEqual(r.prediction, [5, 10]);
  assert.equal(r.labels, 5);
  assert.deepEqual(r.weight, [[64, 64], 4096]);
  assert.ok(['param', 'grad', 'activation', 'moment'].every((role) => r.tensors.some((t) => t.role === role)));
  assert.equal(r.step.batch.length, 32);
  assert.equal(r.rates.learningRate, 0.0005);
  assert.equal(r.rates.stepsPerSecond, 0);
  assert.ok(r.time.msPerStep.length > 0 && r.time.msPerStep.every((t) => t > 0), JSON.stringify(r.time));
  assert.ok(r.rows >= r.end.step + 23 && r.consecutive);
  assert.deepEqual(r.metrics.sort(), ['accuracy', 'gradNorm', 'learningRate']);
});

e2e('the same seed gives the same losses; a checkpoint goes on exactly', engine, async ({ page }) => {
  const r = await on(page, async () => {
    const spec = await nabla.preset('mnist-mlp');
    const losses = async (run, steps) => {
      await run.train({ steps });
      const { loss } = run.history();
      await run.dispose();
      return loss;
    };
    const whole = await losses(await nabla.load(spec), 20);
    const half = await nabla.load(spec);
    await half.train({ steps: 12 });
    const checkpoint = await half.checkpoint();
    const first = half.history().loss;
    await half.dispose();
    const resumed = await nabla.resume(checkpoint);
    const at = resumed.info.step;
    const rest = await losses(resumed, 8);
    const other = await losses(await nabla.load(spec, { seed: 7 }), 2);
    return { whole, halves: [...first, ...rest], at, other };
  });
  assert.equal(r.at, 12);
  assert.deepEqual(r.halves, r.whole);
  assert.notEqual(r.other[0], r.whole[0]);
});

e2e('weights there and back, under the names of the framework', engine, async ({ page }) => {
  const r = await on(page, async () => {
    const out = [];
    for (const id of ['mlp-xor', 'mnist-mlp']) {
      const spec = await nabla.preset(id);
      const a = await nabla.load(spec);
      await a.train({ steps: 5 });
      const weights = await a.weights();
      const header = new TextDecoder().decode(new Uint8Array(weights, 8, Number(new DataView(weights).getBigUint64(0, true))));
      const b = await nabla.load(spec, { weights, seed: 99 });
      const name = (await a.tensors())[0].name;
      const [x, y] = [await a.tensor(name), await b.tensor(name)];
      out.push({ names: Object.keys(JSON.parse(header)), equal: x.data.every((v, i) => v === y.data[i]), kept: weights.byteLength > 0 });
      await a.dispose();
      await b.dispose();
    }
    return out;
  });
  assert.ok(r[0].names.includes('fc1.weight') && r[1].names.includes('dense/kernel'), JSON.stringify(r));
  assert.ok(r.every((w) => w.equal && w.kept));
});

e2e('data as arrays of every kind', engine, async ({ page }) => {
  const r = await on(page, async () => {
    const spec = await nabla.preset('mlp-xor');
    const out = [];
    const x = [[0, 0], [0, 1], [1, 0], [1, 1]];
    for (const data of [
      { train: { x, y: [0, 1, 1, 0] } },
      { train: { x: { data: new Float64Array(x.flat()), shape: [4, 2] }, y: { data: new Uint8Array([0, 1, 1, 0]), shape: [4] } } },
      { train: { x: { data: new Float32Array([9, ...x.flat()]).subarray(1), shape: [4, 2] }, y: new Int32Array([0, 1, 1, 0]) } },
      { train: { x: { data: Uint8Array.from(x.flat()), shape: [4, 2] }, y: { data: new BigInt64Array([0n, 1n, 1n, 0n]), shape: [4, 1] } } },
    ]) {
      const run = await nabla.load({ ...spec, data: { ...spec.data, split: { test: 0, validation: 0, shuffle: false } } }, { data });
      await run.train({ steps: 4 });
      out.push({ loss: run.history().loss, train: run.info.data.train });
      await run.dispose();
    }
    return out;
  });
  for (const run of r) {
    assert.equal(run.train, 4);
    assert.deepEqual(run.loss, r[0].loss);
  }
});

e2e('data as files', engine, async ({ page }) => {
  const r = await on(page, async () => {
    const rows = Array.from({ length: 40 }, (_, i) => `${i % 2},${(i >> 1) % 2},${i % 2 ? 'yes' : 'no'}`);
    const csv = new TextEncoder().encode(`a,b,label\n${rows.join('\n')}\n`).buffer;
    const run = await nabla.load(await nabla.preset('mlp-xor'), { data: { files: [csv], format: 'csv' } });
    await run.train({ steps: 2 });
    const { data } = run.info;
    await run.dispose();
    return data;
  });
  assert.deepEqual(r.classes.toSorted(), ['no', 'yes']);
  assert.equal(r.features.length, 2);
});

e2e('what is wrong is said with a code', engine, async ({ page }) => {
  const spec = `const spec = await nabla.preset('mlp-xor');`;
  const train = (x, y) => `${spec} await nabla.load(spec, { data: { train: { x: ${x}, y: ${y} } } });`;
  const cases = [
    ['bad-spec', `await nabla.load(null);`],
    ['bad-spec', `await nabla.load('{');`],
    ['bad-spec', `${spec} await nabla.load({ ...spec, layers: [] });`],
    ['bad-spec', `${spec} await nabla.load({ ...spec, colour: 1 });`],
    ['bad-spec', `${spec} await nabla.load(spec, { backend: 'tpu' });`],
    ['bad-spec', `${spec} await nabla.load(spec, { seed: -1 });`],
    ['bad-spec', `await nabla.preset('no-such');`],
    ['bad-data', `${spec} await nabla.load(spec, { data: {} });`],
    ['bad-data', train('{ data: new Float32Array(7), shape: [4, 2] }', '[0, 1, 1, 0]')],
    ['bad-data', train('[[1, 2], [3]]', '[0, 1]')],
    ['bad-data', train('[[1, 2], [3, 4]]', '[0, 1, 1]')],
    ['bad-data', train('[[1, 2, 3], [3, 4, 5]]', '[0, 5.5]')],
    ['bad-data', train('[["1", 2], [3, 4]]', '[0, 1]')],
    ['bad-data', train('[[NaN, 2], [3, 4]]', '[0, 1]')],
    ['bad-file', `${spec} await nabla.load(spec, { data: { files: [new ArrayBuffer(4)], format: 'cifar10' } });`],
    ['bad-file', `${spec} await nabla.load(spec, { data: { files: [new ArrayBuffer(4)], format: 'idx' } });`],
    ['bad-file', `${spec} await nabla.load(spec, { weights: new ArrayBuffer(12) });`],
    ['bad-file', `await nabla.resume(new ArrayBuffer(100));`],
    ['bad-spec', `await nabla.import('#spec=AAAA');`],
    ['bad-spec', `await nabla.import('model = nn.Linear(1, 1)');`],
    ['bad-spec', `${spec} await nabla.export({ ...spec, layers: [] }, 'onnx');`],
    ['bad-data', `${spec} const run = await nabla.load(spec); await run.evaluate('validation');`],
    ['bad-data', `${spec} const run = await nabla.load(spec); await run.tensor('no.such');`],
    ['bad-data', `${spec} const run = await nabla.load(spec); await run.predict([1, 2, 3], [1, 3]);`],
    ['bad-spec', `${spec} const run = await nabla.load(spec); await run.set({ colour: 1 });`],
    ['cancelled', `${spec} const run = await nabla.load(spec); await run.dispose(); await run.step();`],
  ];
  const got = await codes(page, cases.map(([, source]) => source));
  const wrong = cases.filter(([code], i) => got[i] !== code).map(([code, source]) => `${source}\n  ${code} was expected, ${got[cases.findIndex(([, s]) => s === source)]} came`);
  assert.equal(wrong.join('\n'), '');
});

e2e('stop, speed limit, reset and divergence', engine, async ({ page }) => {
  const r = await on(page, async () => {
    const run = await nabla.load(await nabla.preset('mnist-mlp'));
    const training = run.train({ epochs: 1000 });
    await new Promise((r) => setTimeout(r, 500));
    const asked = performance.now();
    run.stop();
    const end = await training;
    const waited = performance.now() - asked;
    await run.set({ stepsPerSecond: 20 });
    const limited = run.train({});
    await new Promise((r) => setTimeout(r, 1000));
    run.stop();
    const slow = (await limited).step - end.step;
    const info = await run.reset();
    const empty = run.history().step.length;
    await run.dispose();
    const line = await nabla.load(await nabla.preset('linreg-3x2'));
    await line.set({ learningRate: 1000 });
    const diverged = await line.train({ steps: 2000 });
    await line.dispose();
    return { end, waited, slow, reset: info.step, empty, diverged };
  });
  assert.equal(r.end.stopped, 'cancelled');
  assert.ok(r.waited < 200, `stopped after ${r.waited} ms`);
  assert.ok(r.slow >= 10 && r.slow <= 25, `${r.slow} steps in a second`);
  assert.equal(r.reset, 0);
  assert.equal(r.empty, 0);
  assert.equal(r.diverged.stopped, 'diverged');
  assert.deepEqual([r.diverged.diverged.layer, r.diverged.diverged.part], ['linear', 'outputs']);
});

e2e('runs train side by side and answer meanwhile', engine, async ({ page }) => {
  const r = await on(page, async () => {
    const a = await nabla.load(await nabla.preset('digits-mlp'));
    const b = await nabla.load(await nabla.preset('linreg-3x2'));
    const both = Promise.all([a.train({ epochs: 20 }), b.train({})]);
    const weights = await a.tensor('fc1.bias');
    const test = await a.evaluate('test');
    const [x, y] = await both;
    const slope = (await b.tensor('linear.weight')).data[0];
    await a.dispose();
    await b.dispose();
    return { x, y, weights: weights.data.length, test: test.samples, slope };
  });
  assert.equal(r.x.epoch, 20);
  assert.equal(r.y.epoch, 1000);
  assert.equal(r.weights, 64);
  assert.ok(r.test > 300);
  assert.ok(r.slope > 1.5 && r.slope < 4.5, `slope ${r.slope}`);
});

e2e('a link holds a spec; one that unpacks to too much is refused', engine, async ({ page }) => {
  const r = await on(page, async () => {
    const spec = await nabla.preset('mlp-spirals');
    const link = await nabla.export(spec, 'link');
    const back = await nabla.import(link);
    const text = await nabla.import(await nabla.export(spec, 'spec'));
    const pack = async (bytes) => {
      const packed = await new Response(new Blob([bytes]).stream().pipeThrough(new CompressionStream('deflate-raw'))).bytes();
      return btoa(String.fromCharCode(...packed)).replaceAll('+', '-').replaceAll('/', '_');
    };
    const bomb = await pack(new Uint8Array(8 << 20).fill(32));
    const refused = await nabla.import(`#spec=${bomb}`).catch((e) => [e.code, e.message]);
    return { spec, link, back, text, refused, size: bomb.length };
  });
  assert.match(r.link, /\/some\/path\/#spec=[\w-]+$/);
  assert.deepEqual(r.back, { spec: r.spec, notes: [] });
  assert.deepEqual(r.text, r.back);
  assert.equal(r.refused[0], 'bad-spec');
  assert.match(r.refused[1], /unpacks/);
});

e2e('a crash of the worker is a fault, not a silence', { ...engine, allow: [/trainer/, /boom/] }, async ({ page }) => {
  const r = await on(page, async () => {
    const { Worker } = globalThis;
    const made = [];
    globalThis.Worker = class extends Worker {
      constructor(...a) {
        super(...a);
        made.push(this);
      }
    };
    const spec = await nabla.preset('digits-mlp');
    const warm = await nabla.load(spec);
    const run = await nabla.load(spec);
    const faults = [];
    run.on('fault', (e) => faults.push(e.code));
    const training = run.train({ epochs: 1000 }).catch((e) => [e.code, e.message]);
    made.at(-1).dispatchEvent(new ErrorEvent('error', { message: 'boom' }));
    const rejected = await training;
    const later = await run.step().catch((e) => e.code);
    const alive = (await warm.step()).loss > 0;
    const next = await nabla.load(spec);
    await next.train({ steps: 1 });
    return { faults, rejected, later, alive };
  });
  assert.deepEqual(r.faults, ['internal']);
  assert.equal(r.rejected[0], 'internal');
  assert.match(r.rejected[1], /boom/);
  assert.equal(r.later, 'internal');
  assert.ok(r.alive);
});

// Firefox's driver closes a worker that it shall evaluate something in.
e2e('a trap inside the worker is heard', { ...engine, allow: [/unreachable/], firefox: false }, async ({ page }) => {
  const trap = () => void setTimeout(async () => Promise.reject(new WebAssembly.RuntimeError('unreachable')), 50);
  await on(page, async () => {
    globalThis.run = await nabla.load(await nabla.preset('digits-mlp'));
    globalThis.training = run.train({ epochs: 100000 }).catch((e) => e.code);
  });
  await page.workers()[0].evaluate(trap);
  assert.equal(await page.evaluate(() => training), 'out-of-memory');
});

e2e('the page’s door: connect, show, current', engine, async ({ page }) => {
  const r = await on(page, async () => {
    const trainer = nabla.connect();
    const events = [];
    trainer.on((text) => events.push(JSON.parse(text).type));
    const spec = await nabla.preset('mlp-moons');
    const info = (await trainer.call(JSON.stringify({ type: 'load', run: 5, spec }))).body;
    nabla.show(trainer, info);
    const current = nabla.current();
    await current.train({ epochs: 2 });
    const steps = current.history().loss.length;
    await current.dispose();
    const still = JSON.parse((await trainer.call({ type: 'step', run: 5 })).body).step;
    nabla.show(trainer, null);
    return { steps, still, none: nabla.current(), events: [...new Set(events)].sort(), same: trainer === nabla.connect() };
  });
  assert.ok(r.steps > 0 && r.still === r.steps);
  assert.equal(r.none, null);
  assert.ok(r.same);
  assert.deepEqual(r.events.filter((e) => e !== 'reading'), ['epoch', 'tick']);
});

e2e('the benchmark gives a row per preset', { ...engine, timeout: 120_000 }, async ({ page }) => {
  const rows = await on(page, () => nabla.bench({ steps: 10, warmup: 1 }));
  assert.ok(rows.length >= 10);
  for (const row of rows) assert.ok(row.msPerStep > 0 && row.gflops > 0 && row.backend === 'cpu', JSON.stringify(row));
});

e2e('real MNIST as files', { ...engine, data: 'mnist', timeout: 120_000 }, async ({ page, data }) => {
  const names = ['t10k-images-idx3-ubyte.gz', 't10k-labels-idx1-ubyte.gz'];
  const files = names.map((name) => readFileSync(join(data, name)).toString('base64'));
  const r = await on(
    page,
    async ({ files, names }) => {
      const list = files.map((f, i) => new File([Uint8Array.from(atob(f), (c) => c.charCodeAt(0))], names[i].replace('t10k', 'train')));
      const run = await nabla.load(await nabla.preset('mnist-mlp'), { data: { files: list, format: 'idx' } });
      await run.train({ epochs: 1 });
      return { ...(await run.evaluate('test')), data: run.info.data };
    },
    { files, names },
  );
  assert.deepEqual(r.data.image, [28, 28]);
  assert.ok(r.accuracy > 0.85, `${r.accuracy}`);
});

e2e('typed: every method of the types is there', engine, async ({ page }) => {
  const types = readFileSync(join(ROOT, 'www/nabla.d.ts'), 'utf8');
  const members = (name) => {
    const body = types.split(`export interface ${name} {`)[1].split('\n}')[0];
    return [...body.matchAll(/^ {2}(?:readonly )?(\w+)[(:<]/gm)].map((m) => m[1]);
  };
  const missing = await on(
    page,
    async ([nablas, runs]) => {
      const run = await nabla.load(await nabla.preset('first-network'));
      return [...nablas.filter((m) => !(m in nabla)), ...runs.filter((m) => !(m in run))];
    },
    [members('Nabla'), members('Run')],
  );
  assert.deepEqual(missing, []);
});
