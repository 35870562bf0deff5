// The engine's builds against each other in Chrome: products of square matrices in the plain and
// the relaxed build, and two threads against one, with a control that shows whether two cores were
// free.
//
//   node tests/bench/builds.mjs [--realtime] [--rounds 7] [--only W3,'GEMM 48']
//
// A product is timed through layers: three linear ones of that width on as many rows, of which a
// step takes eight products. Variants take turns, and the median counts; `two` is the median of the
// ratios within a turn. `--realtime` as in bench.mjs.
import { readFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { ROOT, launch } from '../e2e/lib/chrome.mjs';
import { serve } from '../e2e/lib/server.mjs';
import { measurePeak } from './peak.mjs';
import { pinned } from './pin.mjs';

const { values: given } = parseArgs({
  options: {
    realtime: { type: 'boolean', default: false },
    rounds: { type: 'string', default: '7' },
    only: { type: 'string' },
  },
});

const square = (n) => ({
  title: `three linear layers of ${n} on ${n} rows`,
  x: { shape: [n, n], seed: 31 },
  y: { shape: [n, n], seed: 32 },
  spec: {
    version: 1,
    name: `square-${n}`,
    data: { source: { kind: 'files', name: 'square', format: 'csv', shape: [n] } },
    layers: ['a', 'b', 'c'].map((id) => ({ id, kind: 'linear', units: n, bias: false })),
    train: { loss: { kind: 'mse' }, optimizer: { kind: 'sgd', learning_rate: 1e-4 }, batch_size: n, epochs: 1, shuffle: false },
  },
});
const workloads = JSON.parse(readFileSync(new URL('./workloads.json', import.meta.url), 'utf8'));
const all = { 'GEMM 512': square(512), 'GEMM 1024': square(1024), W2: workloads.W2, W3: workloads.W3, W4: workloads.W4, W6: workloads.W6, W7: workloads.W7, W8: workloads.W8 };
const names = given.only?.split(',') ?? Object.keys(all);
// Any other size by its name: small ones show from where on a second thread pays.
for (const name of names) if (/^GEMM \d+$/.test(name)) all[name] ??= square(Number(name.slice(5)));

/** Runs in the page: a run per variant, blocks of steps by turns. */
async function compare({ spec, x, y, variants, rounds }) {
  const make = ({ shape, below, seed }) => {
    const n = shape.reduce((a, b) => a * b, 1);
    let state = seed;
    const next = () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 4294967296;
    if (below) return { shape, data: Int32Array.from({ length: n }, () => Math.floor(next() * below)) };
    return { shape, data: Float32Array.from({ length: n }, () => next() - 0.5) };
  };
  const data = { train: { x: make(x), y: make(y) } };
  const runs = [];
  for (const options of variants) runs.push(await nabla.load(spec, { backend: 'cpu', data, ...options }));
  const median = (list) => list.toSorted((a, b) => a - b)[list.length >> 1];
  const steps = [];
  for (const run of runs) {
    const { msPerStep } = await run.time({ warmup: 3 });
    steps.push(Math.max(3, Math.ceil(250 / median(msPerStep))));
  }
  const ms = runs.map(() => []);
  for (let round = 0; round < rounds; round++) {
    for (const [i, run] of runs.entries()) ms[i].push(median((await run.time({ steps: steps[i], warmup: 0 })).msPerStep));
  }
  const info = runs.map(({ info }) => ({ build: info.build, threads: info.threads, flops: info.flops }));
  for (const run of runs) await run.dispose();
  return { info, ms };
}

/** Runs in the page: GFLOP/s of one worker's multiply-and-adds, and of two at once. */
async function control(source) {
  const url = URL.createObjectURL(new Blob([`onmessage = () => postMessage((${source})({ relaxed: false }).median)`]));
  const workers = [1, 2].map(() => new Worker(url));
  const rate = (worker) =>
    new Promise((resolve) => {
      worker.onmessage = (e) => resolve(e.data);
      worker.postMessage(null);
    });
  const alone = await rate(workers[0]);
  const both = await Promise.all(workers.map(rate));
  workers.forEach((w) => w.terminate());
  return (both[0] + both[1]) / alone;
}

const site = await serve(join(ROOT, 'dist'), { isolated: true });
const browser = await launch({ executable: (path) => pinned([path], { core: null, realtime: given.realtime }) });
const median = (list) => list.toSorted((a, b) => a - b)[list.length >> 1];
try {
  const inPage = async (work, argument) => {
    const page = await browser.newPage();
    await page.goto(`${site.url}engine.html`);
    await page.waitForFunction(() => globalThis.nabla?.ready, null, { timeout: 60_000 });
    const answer = await page.evaluate(work, argument);
    await page.close();
    return answer;
  };
  const peak = { plain: await inPage(measurePeak, { relaxed: false }), relaxed: await inPage(measurePeak, { relaxed: true }) };
  console.log(`Chrome ${browser.version()}, ${cpus()[0]?.model}, ${cpus().length} logical cores`);
  console.log(`peak of one core, GFLOP/s: plain ${peak.plain?.median.toFixed(1)}, relaxed ${peak.relaxed?.median.toFixed(1)}`);
  console.log(`two cores against one, control: ${(await inPage(control, measurePeak.toString())).toFixed(2)}\n`);
  console.log('| | plain ms | relaxed ms | two threads ms | plain GFLOP/s | relaxed GFLOP/s | share of the relaxed peak | two threads against one | control |');
  console.log('|---|--:|--:|--:|--:|--:|--:|--:|--:|');
  for (const name of names) {
    const { spec, x, y } = all[name];
    const variants = [{ build: 'plain' }, { build: 'relaxed', threads: 1 }, { threads: 2 }];
    const { info, ms } = await inPage(compare, { spec, x, y, variants, rounds: Number(given.rounds) });
    const [plain, relaxed, two] = ms.map(median);
    const gflops = (t) => info[0].flops / t / 1e6;
    const speedup = median(ms[1].map((t, i) => t / ms[2][i]));
    const free = await inPage(control, measurePeak.toString());
    const share = (100 * gflops(relaxed)) / peak.relaxed.median;
    console.log(
      `| ${name} | ${plain.toPrecision(3)} | ${relaxed.toPrecision(3)} | ${two.toPrecision(3)} (${info[2].build}, ${info[2].threads}) | ${gflops(plain).toFixed(1)} | ${gflops(relaxed).toFixed(1)} | ${share.toFixed(0)} % | ${speedup.toFixed(2)} | ${free.toFixed(2)} |`,
    );
  }
} finally {
  await browser.close();
  await site.close();
}
