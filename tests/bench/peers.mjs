// Runs the peers' harness and reads what it wrote.
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { before, pinned } from './pin.mjs';

/** The peers by threads, and those on the GPU. */
export const PEERS = {
  1: ['tfjs-wasm-1t', 'jaxjs-wasm-1t', 'jaxjs-wasm-1t+convmm', 'ort-web-1t', 'convnetjs', 'synaptic'],
  2: ['tfjs-wasm-2t-forced', 'jaxjs-wasm-2t', 'ort-web-2t'],
  webgpu: ['tfjs-webgpu', 'jaxjs-webgpu', 'jaxjs-webgpu+convmm'],
};

/** Runs `work` with a path for a file of JSON, and gives its content. */
function written(work) {
  const folder = mkdtempSync(join(tmpdir(), 'nabla-peers-'));
  try {
    const path = join(folder, 'result.json');
    work(path);
    return existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : null;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const row = (r) => (r.ok ? { ms: r.ms, min: r.min, max: r.max } : { error: r.error ?? 'failed' });
const rows = (table) => Object.fromEntries(Object.entries(table).map(([name, r]) => [name, row(r)]));

/** PyTorch as it is, and held to vectors of 128 bits: { peer: { workload: row } }. */
export function torch({ folder, python, names, threads, how, quick }) {
  const script = folder && join(folder, 'bench_torch.py');
  if (!script || !existsSync(script)) {
    console.error('PyTorch is not timed: --peers names no folder with bench_torch.py');
    return {};
  }
  const peers = {};
  for (const [name, isa] of [['PyTorch', []], ['PyTorch, 128-bit', ['--isa', 'SSE41']]]) {
    const got = written((path) => {
      const words = [python, script, '--threads', threads, '--workloads', names.join(','), '--out', path, ...isa, ...(quick ? ['--quick'] : [])];
      const [program, ...rest] = [...before(how), ...words].map(String);
      spawnSync(program, rest, { stdio: ['ignore', 'ignore', 'inherit'] });
    });
    if (got) peers[name] = rows(got.table);
  }
  return peers;
}

/** The browser peers: { peer: { workload: row } }. */
export function browsers({ folder, wanted, names, how, quick }) {
  const script = join(folder, 'bench.mjs');
  if (!existsSync(script)) {
    console.error(`no peers: ${script} is not there`);
    return {};
  }
  const peers = {};
  const chrome = process.env.CHROME ?? 'chromium';
  // The harness pins by itself.
  const browser = pinned([chrome], { core: null, realtime: how.realtime });
  for (const peer of wanted) {
    const got = written((path) => {
      const args = [script, `--peers=${peer}`, `--workloads=${names.join(',')}`, `--out=${relative(folder, path)}`, ...(quick ? ['--quick'] : [])];
      const env = { ...process.env, CHROMIUM: browser, PIN_CORE: how.core ?? '1' };
      spawnSync(process.execPath, args, { cwd: folder, env, stdio: ['ignore', 'ignore', 'inherit'] });
    });
    if (got?.table?.[peer]) peers[peer] = rows(got.table[peer]);
  }
  return peers;
}
