// Times one training step of the eight workloads of `workloads.json` in Chrome, through window.nabla
// on the bare page, one thread, pinned to a core, beside the peers whose harness is there.
//
//   node tests/bench/bench.mjs [--workloads W1,W4] [--threads 1] [--core 1] [--realtime] [--quick]
//                              [--peers FOLDER] [--with tfjs-wasm-1t,…] [--python PROGRAM] [--out FILE]
//   node tests/bench/bench.mjs --presets [ids]     the page's presets instead
//   … --backend webgpu    on the GPU: on all cores, with products of 256 to 4096 (`MM256`, …: a linear
//                         layer, forward and weight gradient), each workload beside the peers' WebGPU
//   … --site FOLDER       the site there instead of dist/
//
// Protocol, the same as the peers': a fresh page each; the first step apart; at least 2 s of
// warm-up; 7 blocks of at least 500 ms (W1: 1000 steps), the loss read at the end of a block; the
// median. One resident batch of random numbers, which the network must over-fit: a loss that does
// not fall is an error.
//
// `--peers` (or $NABLA_PEERS) names a folder with the peers' harness, a `bench.mjs` and a
// `bench_torch.py` of the same protocol; `--python` (or $NABLA_PYTHON) a Python with PyTorch.
// `--realtime` gives the browser and the peers a real-time priority (Linux, root), for machines on
// which others are at work.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { ROOT, launch } from '../e2e/lib/chrome.mjs';
import { serve } from '../e2e/lib/server.mjs';
import { PEERS, torch, browsers } from './peers.mjs';
import { pinned } from './pin.mjs';
import { timePreset, timeWorkload } from './page.mjs';
import { measurePeak } from './peak.mjs';
import { report } from './report.mjs';

const { values: given, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    workloads: { type: 'string' },
    presets: { type: 'boolean' },
    backend: { type: 'string', default: 'cpu' },
    site: { type: 'string', default: join(ROOT, 'dist') },
    threads: { type: 'string', default: '1' },
    core: { type: 'string', default: '1' },
    realtime: { type: 'boolean', default: false },
    quick: { type: 'boolean', default: false },
    peers: { type: 'string', default: process.env.NABLA_PEERS },
    with: { type: 'string' },
    python: { type: 'string', default: process.env.NABLA_PYTHON },
    out: { type: 'string', default: join(ROOT, 'target/bench/bench') },
  },
});
const list = (text) => text?.split(',').filter(Boolean);

const all = JSON.parse(readFileSync(new URL('./workloads.json', import.meta.url), 'utf8'));
const gpu = given.backend === 'webgpu';
if (gpu) for (const n of [256, 512, 1024, 2048, 4096]) all[`MM${n}`] = product(n);
const names = list(given.workloads) ?? Object.keys(all);
const unknown = names.filter((name) => !all[name]);
if (unknown.length) throw new Error(`no workload ${unknown.join(', ')}; there are ${Object.keys(all).join(', ')}`);
const threads = Number(given.threads);
const protocol = given.quick ? { warmMs: 300, blocks: 3, blockMs: 150 } : { warmMs: 2000, blocks: 7, blockMs: 500 };
const how = { core: threads === 1 && !gpu ? given.core : null, realtime: given.realtime };

const site = await serve(resolve(given.site), { isolated: true });
const browser = await launch({ executable: (path) => pinned([path], how) });
const result = {
  date: new Date().toISOString(),
  chrome: browser.version(),
  cpu: cpus()[0]?.model,
  cores: cpus().length,
  threads,
  backend: given.backend,
  quick: given.quick,
  realtime: given.realtime,
  peak: {},
  rows: {},
  peers: {},
};
const text = (row) =>
  row.error ? `failed: ${row.error}` : `${row.ms.toPrecision(4)} ms [${row.min.toPrecision(4)} … ${row.max.toPrecision(4)}] loss ${row.lossFirst?.toFixed(4)} → ${row.lossLast?.toFixed(4)}`;
try {
  const open = async () => {
    const page = await browser.newPage();
    page.on('pageerror', (error) => console.error(`page: ${error.message}`));
    await page.goto(`${site.url}engine.html`);
    await page.waitForFunction(() => globalThis.nabla?.ready, null, { timeout: 60_000 });
    return page;
  };
  const inPage = async (work, argument) => {
    const page = await open(); // a fresh worker, whose memory has not grown yet
    const answer = await page.evaluate(work, argument).catch((error) => ({ error: error.message.split('\n')[0] }));
    await page.close();
    return answer;
  };
  result.engine = await inPage(() => globalThis.nabla.ready);
  console.error(`Chrome ${result.chrome}, ${result.cpu}, ${result.cores} logical cores\nengine ${JSON.stringify(result.engine)}`);
  for (const relaxed of [false, true]) {
    const name = relaxed ? 'relaxed' : 'plain';
    result.peak[name] = await inPage(measurePeak, { relaxed });
    console.error(`register peak, ${name}: ${JSON.stringify(result.peak[name])} GFLOP/s`);
  }
  if (given.presets) {
    const presets = await inPage(async () => (await globalThis.nabla.presets()).map((preset) => preset.id));
    for (const id of positionals.length ? positionals : presets) {
      result.rows[id] = await inPage(timePreset, { id, threads, protocol, backend: given.backend });
      console.error(`${id.padEnd(24)} ${text(result.rows[id])}`);
    }
  } else {
    for (const name of names) {
      const { spec, x, y } = all[name];
      const exact = name === 'W1' && !given.quick ? { ...protocol, stepsPerBlock: 1000 } : protocol;
      result.rows[name] = { ...(await inPage(timeWorkload, { spec, x, y, threads, protocol: exact, backend: given.backend })), flops: all[name].flops };
      console.error(`${'nabla'.padEnd(24)} ${name} ${text(result.rows[name])}`);
      // Side by side, so that all of a row have the machine as it was then.
      if (gpu && given.peers && name.startsWith('W')) {
        const wanted = list(given.with) ?? PEERS.webgpu;
        const rows = browsers({ folder: resolve(given.peers), wanted, names: [name], how, quick: given.quick });
        for (const [peer, row] of Object.entries(rows)) (result.peers[peer] ??= {})[name] = row[name];
      }
    }
  }
} finally {
  await browser.close();
  await site.close();
}

if (!given.presets) {
  if (given.python && !gpu) Object.assign(result.peers, torch({ folder: given.peers, python: given.python, names, threads, how, quick: given.quick }));
  if (given.peers && !gpu) {
    const wanted = list(given.with) ?? PEERS[threads] ?? [];
    Object.assign(result.peers, browsers({ folder: resolve(given.peers), wanted, names, how, quick: given.quick }));
  }
}
const markdown = report(result, all);
console.log(markdown);
mkdirSync(dirname(given.out), { recursive: true });
writeFileSync(`${given.out}.json`, JSON.stringify(result, null, 1));
writeFileSync(`${given.out}.md`, markdown);
console.error(`written: ${given.out}.md and .json`);
const rows = Object.values(result.rows);
process.exitCode = rows.length === 0 || rows.some((row) => row.error) ? 1 : 0;

/** A linear layer of n units on n rows of n: two products of n×n matrices, besides the update. */
function product(n) {
  const source = { kind: 'files', name: `mm${n}`, format: 'csv', shape: [n], classes: n };
  return {
    title: `product of ${n}×${n}, twice`,
    flops: 4 * n ** 3,
    x: { shape: [n, n], uniform: [-1, 1], seed: 1 },
    y: { shape: [n], below: n, seed: 2 },
    spec: {
      version: 1, name: `mm${n}`, framework: 'pytorch', seed: 1, data: { source, target: 'labels' },
      layers: [{ id: 'fc', kind: 'linear', units: n }],
      train: { loss: { kind: 'cross_entropy', from_logits: true }, optimizer: { kind: 'sgd', learning_rate: 0.01 }, batch_size: n, epochs: 1, shuffle: false },
    },
  };
}
