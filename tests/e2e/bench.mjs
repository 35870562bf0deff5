// Times one training step of every preset in Chrome, through window.nabla on the bare page.
//
//   node tests/e2e/bench.mjs [--presets a,b] [--backends cpu,webgpu] [--threads 1,2]
//                            [--blocks 7] [--block-ms 500] [--json FILE]
//
// A step is forward, loss, backward and update. Steps run in blocks that end in one read; the
// table gives the median block. Without --backends WebGPU is timed only on a real adapter.
import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { ROOT, launch } from './lib/chrome.mjs';
import { serve } from './lib/server.mjs';

const { values: options } = parseArgs({
  options: {
    presets: { type: 'string' },
    backends: { type: 'string' },
    threads: { type: 'string' },
    blocks: { type: 'string', default: '7' },
    'block-ms': { type: 'string', default: '500' },
    json: { type: 'string' },
  },
});
const list = (text) => text?.split(',').filter(Boolean);

/** Runs in the page: one preset on one backend. */
async function timePreset({ id, backend, threads, blocks, blockMs }) {
  // Random samples stand in for data that a visitor brings as files.
  const randomData = ({ source }, rows = 1024) => {
    const size = source.shape.reduce((a, b) => a * b, 1);
    const x = Float32Array.from({ length: rows * size }, () => Math.random());
    const y = source.classes
      ? Int32Array.from({ length: rows }, () => Math.floor(Math.random() * source.classes))
      : Float32Array.from({ length: rows }, () => Math.random());
    return { train: { x: { data: x, shape: [rows, ...source.shape] }, y: { data: y, shape: [rows] } } };
  };
  const median = (numbers) => {
    const sorted = [...numbers].sort((a, b) => a - b);
    const middle = sorted.length >> 1;
    return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
  };

  const { nabla } = globalThis;
  const spec = await nabla.preset(id);
  const data = spec.data.source.kind === 'files' ? randomData(spec.data) : undefined;
  const run = await nabla.load(spec, { backend, threads, data });
  try {
    // The first measurement only says how many steps fill a block.
    const trial = await run.time({ steps: 3, warmup: 2 });
    const steps = Math.max(1, Math.ceil(blockMs / median(trial.msPerStep)));
    const msPerStep = [];
    for (let block = 0; block < blocks; block++) {
      const timed = await run.time({ steps, warmup: block === 0 ? steps : 0 });
      msPerStep.push(...timed.msPerStep);
    }
    const ms = median(msPerStep);
    return {
      ms,
      min: Math.min(...msPerStep),
      max: Math.max(...msPerStep),
      steps,
      firstStepMs: trial.firstStepMs,
      compileMs: trial.compileMs,
      threads: run.info.threads,
      gflops: run.info.flops / ms / 1e6,
    };
  } finally {
    await run.dispose();
  }
}

const figure = (number) => (Number.isFinite(number) ? number.toPrecision(3) : '–');

const site = await serve(join(ROOT, 'dist'), { isolated: true });
const browser = await launch();
const rows = [];
try {
  const open = async () => {
    const page = await browser.newPage();
    page.on('pageerror', (error) => console.error(`page: ${error.message}`));
    await page.goto(`${site.url}engine.html`);
    await page.waitForFunction(() => globalThis.nabla?.ready, null, { timeout: 30_000 });
    return page;
  };

  const first = await open();
  const { ready, presets } = await first.evaluate(async () => ({
    ready: await globalThis.nabla.ready,
    presets: await globalThis.nabla.presets(),
  }));
  await first.close();

  const known = presets.map((preset) => preset.id);
  const ids = list(options.presets) ?? known;
  const unknown = ids.filter((id) => !known.includes(id));
  if (unknown.length) throw new Error(`no preset ${unknown.join(', ')}; there are ${known.join(', ')}`);
  const backends = list(options.backends) ?? (ready.webgpu && !ready.webgpu.software ? ['cpu', 'webgpu'] : ['cpu']);

  console.log(`Chrome ${browser.version()}, ${cpus()[0]?.model}, ${cpus().length} logical cores`);
  console.log(`engine ${JSON.stringify(ready)}\n`);
  console.log('| preset | backend | threads | ms/step | min | max | first step ms | compile ms | GFLOP/s |');
  console.log('|---|---|--:|--:|--:|--:|--:|--:|--:|');
  for (const id of ids) {
    for (const backend of backends) {
      const threadCounts = backend === 'cpu' ? (list(options.threads)?.map(Number) ?? [undefined]) : [undefined];
      for (const threads of threadCounts) {
        const page = await open(); // a fresh worker, whose memory has not grown yet
        const given = { id, backend, threads, blocks: Number(options.blocks), blockMs: Number(options['block-ms']) };
        const result = await page.evaluate(timePreset, given).catch((error) => ({ error: error.message.split('\n')[0] }));
        await page.close();
        rows.push({ id, backend, ...result });
        console.log(
          result.error
            ? `| ${id} | ${backend} | ${threads ?? ''} | failed: ${result.error} | | | | | |`
            : `| ${id} | ${backend} | ${result.threads ?? ''} | ${[result.ms, result.min, result.max, result.firstStepMs, result.compileMs, result.gflops].map(figure).join(' | ')} |`,
        );
      }
    }
  }
  if (options.json) writeFileSync(options.json, JSON.stringify({ chrome: browser.version(), cpu: cpus()[0]?.model, ready, rows }, null, 1));
} finally {
  await browser.close();
  await site.close();
}
process.exitCode = rows.length === 0 || rows.some((row) => row.error) ? 1 : 0;
