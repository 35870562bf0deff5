// Times one training step of the eight workloads of `workloads.json` in Chrome, through window.nabla
// on the bare page, one thread, pinned to a core, beside the peers whose harness is there.
//
//   node tests/bench/bench.mjs [--workloads W1,W4] [--threads 1] [--core 1] [--realtime] [--quick]
//                              [--peers FOLDER] [--with tfjs-wasm-1t,…] [--python PROGRAM] [--out FILE]
//   node tests/bench/bench.mjs --presets [ids]     the page's presets instead
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
const names = list(given.workloads) ?? Object.keys(all);
const unknown = names.filter((name) => !all[name]);
if (unknown.length) throw new Error(`no workload ${unknown.join(', ')}; there are ${Object.keys(all).join(', ')}`);
const threads = Number(given.threads);
const protocol = given.quick ? { warmMs: 300, blocks: 3, blockMs: 150 } : { warmMs: 2000, blocks: 7, blockMs: 500 };
const how = { core: threads === 1 ? given.core : null, realtime: given.realtime };

const site = await serve(join(ROOT, 'dist'), { isolated: true });
const browser = await launch({ executable: (path) => pinned([path], how) });
const result = {
  date: new Date().toISOString(),
  chrome: browser.version(),
  cpu: cpus()[0]?.model,
  cores: cpus().length,
  threads,
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
      result.rows[id] = await inPage(timePreset, { id, threads, protocol });
      console.error(`${id.padEnd(24)} ${text(result.rows[id])}`);
    }
  } else {
    for (const name of names) {
      const { spec, x, y } = all[name];
      const exact = name === 'W1' && !given.quick ? { ...protocol, stepsPerBlock: 1000 } : protocol;
      result.rows[name] = { ...(await inPage(timeWorkload, { spec, x, y, threads, protocol: exact })), flops: all[name].flops };
      console.error(`${'nabla'.padEnd(24)} ${name} ${text(result.rows[name])}`);
    }
  }
} finally {
  await browser.close();
  await site.close();
}

if (!given.presets) {
  if (given.python) Object.assign(result.peers, torch({ folder: given.peers, python: given.python, names, threads, how, quick: given.quick }));
  if (given.peers) {
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
