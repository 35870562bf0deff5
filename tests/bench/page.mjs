// What runs in the page. Each function stands by itself: it is sent there as text.

/** One workload: `spec` on the resident batch that `x` and `y` describe. */
export async function timeWorkload({ spec, x, y, threads, protocol, backend = 'cpu' }) {
  // Uniform numbers from a seed (mulberry32).
  const random = (seed) => () => {
    seed = (seed + 0x6d2b79f5) >>> 0;
    let t = seed;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
  const make = ({ shape, below, uniform, seed }) => {
    const next = random(seed);
    const n = shape.reduce((a, b) => a * b, 1);
    if (below) return { shape, data: Int32Array.from({ length: n }, () => Math.floor(next() * below)) };
    const [low, high] = uniform;
    return { shape, data: Float32Array.from({ length: n }, () => low + (high - low) * next()) };
  };
  const given = make(x);
  const targets = y.line ? { shape: x.shape, data: given.data.map((v) => y.line[0] * v + y.line[1]) } : make(y);
  const run = await globalThis.nabla.load(spec, { backend, threads, data: { train: { x: given, y: targets } } });
  const median = (numbers) => numbers.toSorted((a, b) => a - b)[numbers.length >> 1];
  /** Milliseconds per step of `steps` steps. */
  const block = async (steps) => {
    const { msPerStep } = await run.time({ steps, warmup: 0 });
    return msPerStep.reduce((a, b) => a + b, 0) / msPerStep.length;
  };
  try {
    const first = performance.now();
    const { loss: lossFirst } = await run.step();
    const firstStepMs = performance.now() - first;
    const begin = performance.now();
    let estimate = firstStepMs;
    for (let warm = 0; warm < 2 || performance.now() - begin < protocol.warmMs; warm++) {
      estimate = await block(Math.max(1, Math.ceil(100 / estimate)));
    }
    const steps = protocol.stepsPerBlock ?? Math.max(1, Math.ceil(protocol.blockMs / estimate));
    const blocks = [];
    for (let i = 0; i < protocol.blocks; i++) blocks.push(await block(steps));
    const { loss: lossLast } = await run.step();
    if (!(lossLast < lossFirst)) throw new Error(`the loss went from ${lossFirst} to ${lossLast}`);
    return { ms: median(blocks), min: Math.min(...blocks), max: Math.max(...blocks), blocks, steps, firstStepMs, lossFirst, lossLast, threads: run.info.threads };
  } finally {
    await run.dispose();
  }
}

/** A preset of the page; random samples stand in for data that a visitor brings. */
export async function timePreset({ id, threads, protocol, backend = 'cpu' }) {
  const { nabla } = globalThis;
  const spec = await nabla.preset(id);
  const { source } = spec.data;
  const random = (rows = 1024) => {
    const x = Float32Array.from({ length: rows * source.shape.reduce((a, b) => a * b, 1) }, () => Math.random());
    const y = Float32Array.from({ length: rows }, () => (source.classes ? Math.floor(Math.random() * source.classes) : Math.random()));
    return { train: { x: { data: x, shape: [rows, ...source.shape] }, y: { data: y, shape: [rows] } } };
  };
  const run = await nabla.load(spec, { backend, threads, data: source.kind === 'files' ? random() : undefined });
  try {
    const trial = await run.time({ steps: 3, warmup: 2 });
    const middle = (numbers) => numbers.toSorted((a, b) => a - b)[numbers.length >> 1];
    const steps = Math.max(1, Math.ceil(protocol.blockMs / middle(trial.msPerStep)));
    const blocks = [];
    for (let block = 0; block < protocol.blocks; block++) {
      blocks.push(...(await run.time({ steps, warmup: block === 0 ? steps : 0 })).msPerStep);
    }
    return { ms: middle(blocks), min: Math.min(...blocks), max: Math.max(...blocks), steps, firstStepMs: trial.firstStepMs, compileMs: trial.compileMs, threads: run.info.threads, flops: run.info.flops };
  } finally {
    await run.dispose();
  }
}
