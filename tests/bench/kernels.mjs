// GFLOP/s of the CPU kernels in Chrome, builds interleaved in one page:
//   node tests/bench/kernels.mjs [--core 1] [--realtime] [--only REGEXP] NAME=MODULE.wasm …
// `cargo xtask bench --kernels` builds the modules and calls it.
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { launch } from '../e2e/lib/chrome.mjs';
import { measurePeak } from './peak.mjs';
import { pinned } from './pin.mjs';

const { values: given, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    core: { type: 'string', default: '1' },
    realtime: { type: 'boolean', default: false },
    only: { type: 'string', default: '' },
  },
});
const modules = positionals.map((text) => text.split('='));

/** In the page: rows of { name, rates by module }. */
async function time({ urls, only }) {
  const builds = [];
  for (const url of urls) {
    const module = await WebAssembly.compileStreaming(fetch(url));
    const imports = {};
    // What the engine's other parts import is never called.
    for (const { module: from, name } of WebAssembly.Module.imports(module)) {
      (imports[from] ??= {})[name] = () => {
        throw new Error(`${name} was called`);
      };
    }
    const { exports } = await WebAssembly.instantiate(module, imports);
    exports.init();
    builds.push(exports);
  }
  const [first] = builds;
  const filter = new RegExp(only);
  const rows = [];
  for (let i = 0; i < first.count(); i++) {
    const name = new TextDecoder().decode(new Uint8Array(first.memory.buffer, first.name(i), first.name_len(i)));
    if (!filter.test(name)) continue;
    // Blocks of about 40 ms.
    const repeats = builds.map(({ run }) => {
      const begin = performance.now();
      let n = 0;
      for (; performance.now() - begin < 250; n++) run(i);
      return Math.max(1, Math.ceil((n * 40) / 250));
    });
    const times = builds.map(() => []);
    for (let block = 0; block < 9; block++) {
      builds.forEach(({ run }, b) => {
        const begin = performance.now();
        for (let n = 0; n < repeats[b]; n++) run(i);
        times[b].push((performance.now() - begin) / repeats[b]);
      });
    }
    rows.push({ name, flops: first.flops(i), ms: times.map((all) => all.sort((a, b) => a - b)[4]) });
  }
  return rows;
}

const browser = await launch({ executable: (path) => pinned([path], { core: given.core, realtime: given.realtime }) });
const urls = modules.map(([, path]) => `data:application/wasm;base64,${readFileSync(path).toString('base64')}`);
try {
  const page = await browser.newPage();
  await page.goto('about:blank');
  const peaks = [await page.evaluate(measurePeak, { relaxed: false }), await page.evaluate(measurePeak, { relaxed: true })];
  const figure = (n) => (n >= 100 ? n.toFixed(0) : n.toPrecision(3));
  console.log(`Chrome ${browser.version()}; register peak ${peaks.map((p) => p && figure(p.median)).join(' GFLOP/s plain, ')} relaxed\n`);
  console.log(`| kernel | ${modules.map(([name]) => `${name}, ms | GFLOP/s`).join(' | ')} |\n|---|${'--:|--:|'.repeat(modules.length)}`);
  for (const { name, flops, ms } of await page.evaluate(time, { urls, only: given.only })) {
    console.log(`| ${name} | ${ms.map((t) => `${figure(t)} | ${figure(flops / t / 1e6)}`).join(' | ')} |`);
  }
} finally {
  await browser.close();
}
