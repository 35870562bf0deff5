// Prints what the first visit loads: index.html and all that it refers to, directly or through
// scripts, and the trainer. Usage: node xtask/sizes.mjs dist
import { existsSync, readFileSync } from 'node:fs';
import { extname, join, normalize } from 'node:path';
import { brotliCompressSync, gzipSync } from 'node:zlib';

const dist = process.argv[2] ?? 'dist';
const FOLLOWED = new Set(['.html', '.js', '.mjs', '.css']);
const REFERENCE = /["'(](?:\.\/)?([\w./-]+\.(?:js|mjs|wasm|css|svg|json|ftl|woff2))["')]/g;

function reachable(roots) {
  const found = new Map();
  const queue = [...roots];
  while (queue.length) {
    const name = queue.shift();
    const path = join(dist, name);
    if (found.has(name) || !existsSync(path)) continue;
    const bytes = readFileSync(path);
    found.set(name, bytes);
    // __wasm_split.js names the parts that load later.
    if (!FOLLOWED.has(extname(name)) || name.endsWith('__wasm_split.js')) continue;
    const folder = name.includes('/') ? name.slice(0, name.lastIndexOf('/') + 1) : '';
    for (const [, reference] of bytes.toString().matchAll(REFERENCE)) {
      queue.push(normalize(folder + reference));
    }
  }
  return found;
}

const kb = (bytes) => (bytes / 1024).toFixed(1).padStart(9);
const row = (name, sizes) => console.log(name.padEnd(36) + sizes.map(kb).join(''));

// The engine of a first visit, and what its page asks for in English.
const engine = existsSync(join(dist, 'trainer-first')) ? ['trainer-first_loader.js', 'trainer-first/trainer_bg.wasm'] : ['trainer_loader.js', 'trainer_bg.wasm'];
const words = ['page', 'inspect'].map((name) => `locales/en/${name}.ftl`);
const first = ['index.html', ...engine, ...words, 'data/digits.bin.gz'];
const total = [0, 0, 0];
console.log(`\n${'first visit, KiB'.padEnd(36)}${['raw', 'gzip', 'brotli'].map((s) => s.padStart(9)).join('')}`);
for (const [name, bytes] of reachable(first)) {
  const sizes = [bytes.length, gzipSync(bytes, { level: 9 }).length, brotliCompressSync(bytes).length];
  sizes.forEach((size, i) => (total[i] += size));
  row(name, sizes);
}
row('total', total);
