// What nabla.js loads only when it is asked for: code of other frameworks, links and the benchmark.

/** Bound on what a link may unpack to. */
const LINK_BYTES = 1 << 20;

const here = new URL(import.meta.url);
let loading = null;

/** The module that writes and reads code: a wasm of its own, loaded once. */
async function interop() {
  loading ??= (async () => {
    const module = await import(new URL(`./interop.js${here.search}`, here));
    await module.default({ module_or_path: new URL(`./interop_bg.wasm${here.search}`, here) });
    return module;
  })();
  try {
    return await loading;
  } catch (e) {
    loading = null; // the next call tries again
    throw e;
  }
}

/** A report whose problems have their repairs: `[{ id, text, spec }]`, the best first. */
export async function withRepairs(spec, report) {
  const problems = [...report.errors, ...report.hints];
  const found = JSON.parse((await interop()).repairs(JSON.stringify(spec), JSON.stringify(problems)));
  const all = problems.map((problem, i) => ({ ...problem, repairs: found[i] ?? [] }));
  return { ...report, errors: all.slice(0, report.errors.length), hints: all.slice(report.errors.length) };
}

/** The script of a spec: `{ text, file, notebook, lines, painted, notes }`, or `{ problems }`. */
export async function script(spec, framework, language) {
  return JSON.parse((await interop()).script(JSON.stringify(spec), framework, language));
}

/** The Optuna study of a spec: the same, with its ranges as `study`. */
export async function study(spec, framework, ranges, language) {
  return JSON.parse((await interop()).study(JSON.stringify(spec), framework, JSON.stringify(ranges), language));
}

/** The spec that pasted Python means: `{ spec | null, notes }`. */
export async function readScript(text, language) {
  return JSON.parse((await interop()).read_script(text, language));
}

/**
 * The ONNX file of a spec: of a run's weights and scaling, or of those that it begins with. `answer` makes
 * an error of problems.
 */
export async function toOnnx(nabla, spec, run, answer) {
  const from = run ?? (await nabla.load(spec, { backend: 'cpu', threads: 1 }));
  try {
    const [module, weights, scaling] = await Promise.all([interop(), from.weights(), from.scaling()]);
    const { shape, classes, targets } = from.info.data;
    const known = { sample: shape, classes: classes.length || null, targets: classes.length ? 1 : targets.length };
    const { mul, add, mean, std } = scaling;
    try {
      const bytes = module.write_onnx(JSON.stringify(spec), JSON.stringify(known), new Uint8Array(weights), mul, add, mean, std);
      return bytes.buffer;
    } catch (e) {
      throw typeof e === 'string' ? answer('bad-spec', JSON.parse(e)) : e;
    }
  } finally {
    if (!run) await from.dispose();
  }
}

/** The network of an ONNX file: `{ spec | null, notes, weights }`. */
export async function readOnnx(bytes, keep, language) {
  const read = (await interop()).read_onnx(bytes, keep ? JSON.stringify(keep) : '', language);
  try {
    return { ...JSON.parse(read.json()), weights: read.weights().buffer };
  } finally {
    read.free();
  }
}

const product = (shape) => shape.reduce((a, b) => a * b, 1);

async function pump(bytes, transform, limit) {
  const reader = new Blob([bytes]).stream().pipeThrough(transform).getReader();
  const chunks = [];
  let size = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return new Uint8Array(await new Blob(chunks).arrayBuffer());
    size += value.byteLength;
    if (size > limit) {
      reader.cancel().catch(() => {});
      throw new Error('it unpacks to more than a spec may hold');
    }
    chunks.push(value);
  }
}

/** The address of the page at `site` with a spec in its fragment: deflated JSON as base64url. */
export async function toLink(spec, site) {
  const packed = await pump(new TextEncoder().encode(JSON.stringify(spec)), new CompressionStream('deflate-raw'), Infinity);
  let text = '';
  for (const b of packed) text += String.fromCharCode(b);
  return `${site}#spec=${btoa(text).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '')}`;
}

/** The spec of a link. Throws when it is damaged or too big. */
export async function fromLink(text) {
  const packed = /(?:^|[#&?])spec=([\w-]*)/.exec(text)[1];
  const bytes = Uint8Array.from(atob(packed.replaceAll('-', '+').replaceAll('_', '/')), (c) => c.charCodeAt(0));
  const json = await pump(bytes, new DecompressionStream('deflate-raw'), LINK_BYTES);
  return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(json));
}

/** Random arrays that fit a spec: samples enough for a few batches. */
function generate(spec, report) {
  const source = spec.data.source;
  const batch = spec.train.batch_size;
  const n = batch ? Math.min(batch * 8, 4096) : (source.samples ?? source.x?.length ?? 256);
  const kind = spec.train.loss.kind;
  const out = report.layers.at(-1).shape;
  const classes = kind === 'cross_entropy' ? out.at(-1) : ['binary_cross_entropy', 'hinge', 'perceptron'].includes(kind) ? 2 : 0;
  const xs = [n, ...report.input];
  const words = spec.layers.find((l) => l.kind === 'embedding')?.vocab;
  const x = Float32Array.from({ length: product(xs) }, () => (words ? Math.floor(Math.random() * words) : Math.random() * 2 - 1));
  const ys = classes ? [n] : [n, ...out];
  const y = classes ? Int32Array.from({ length: n }, (_, i) => i % classes) : Float32Array.from({ length: product(ys) }, () => Math.random());
  return { train: { x: { data: x, shape: xs }, y: { data: y, shape: ys } } };
}

/** Every preset × backend → a row, timed on generated data. `onRow` gets each row as it comes. */
export async function bench(nabla, { presets, backends, threads, steps, warmup, onRow } = {}) {
  const hello = await nabla.ready;
  backends ??= hello.webgpu && !hello.webgpu.software ? ['cpu', 'webgpu'] : ['cpu'];
  presets ??= nabla.presets().map((p) => p.id);
  const rows = [];
  for (const preset of presets) {
    const spec = await nabla.preset(preset);
    const report = await nabla.check(spec);
    for (const backend of backends) {
      const run = await nabla.load(spec, { backend, threads, data: generate(spec, report) });
      const blocks = (await run.time({ steps, warmup })).msPerStep.toSorted((a, b) => a - b);
      const msPerStep = blocks[blocks.length >> 1];
      const row = { preset, backend, threads: run.info.threads, msPerStep, gflops: run.info.flops / msPerStep / 1e6 };
      await run.dispose();
      rows.push(row);
      onRow?.(row);
    }
  }
  return rows;
}
