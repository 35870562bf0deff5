// nabla: the page's engine as a JavaScript API (see nabla.d.ts). A module without dependencies;
// all heavy work happens in trainer workers, one per run. A version in its address (`?v=…`) is
// passed on to what it loads.

/** A disposed run's worker is kept for the next one up to this much memory, for wasm memory never shrinks. */
const REUSE_BYTES = 96 << 20;
/** A worker that has not reported by then could not be loaded. */
const START_MS = 120_000;
const PARTS = ['train', 'validation', 'test'];
const EVENTS = ['tick', 'epoch', 'fault', 'backend'];
/** Numbers that a run's record makes room for at a time. */
const ROOM = 1 << 14;

const here = new URL(import.meta.url);

// ---- Builds of the engine ----

/**
 * Builds that lie beside this file, besides the plain one, which always does. `cargo xtask site`
 * names here those that it made.
 */
const OFFERED = [];

/** The smallest module with an instruction of relaxed SIMD: `f32x4.relaxed_madd` of zeros. */
const RELAXED = [
  0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 19, 1, 17, 0,
  65, 0, 253, 15, 65, 0, 253, 15, 65, 0, 253, 15, 253, 133, 2, 11,
];

const cores = Math.max(1, navigator.hardwareConcurrency || 1);
/** Those that this browser can run. Threads need shared memory, which only an isolated page has. */
const usable = new Set(WebAssembly.validate(new Uint8Array(RELAXED)) ? OFFERED : []);
if (cores < 2 || !globalThis.crossOriginIsolated || typeof SharedArrayBuffer !== 'function') usable.delete('threads');

if (OFFERED.includes('first')) usable.add('first');
if (!navigator.gpu) usable.delete('gpu');

/** The GPU as `nabla.ready` tells of it; null: there is none; undefined: nobody has looked yet. */
let gpu = usable.has('gpu') ? undefined : null;
const gpuModule = () => import(new URL(`./nabla-gpu.js${here.search}`, here));
const findGpu = async () => (gpu === undefined ? (gpu = await (await gpuModule()).adapter()) : gpu);

/** Refuses a run on a GPU that is not there. */
async function needGpu(backend) {
  if (backend === 'cpu' || (await findGpu()) || backend !== 'webgpu') return;
  const detail = !navigator.gpu ? 'this browser has no navigator.gpu' : usable.has('gpu') ? 'the browser offers no adapter' : 'this site or browser lacks the build that uses it';
  const message = `There is no WebGPU here: ${detail}. Train on the CPU, or use a browser with WebGPU and an up-to-date graphics driver.`;
  throw fail('no-webgpu', message, 'gpu-none', { detail });
}

/** A first visit opens on the page's own small network, and its engine is the one that loads soonest. */
let opening = false;
try {
  opening = document.getElementById('app') !== null && !location.hash && localStorage.getItem('nabla.spec') === null;
} catch {} // no page, or no storage

/** Whether the first engine trains a network as fast as it can be watched: dense, narrow, in small batches. */
function suitsFirst({ layers, train }) {
  const dense = ['linear', 'activation', 'dropout', 'flatten'];
  const narrow = (layer) => dense.includes(layer?.kind) && !(layer.units > 64);
  return Array.isArray(layers) && layers.every(narrow) && train?.batch_size <= 64;
}

/** The page's own build: the first engine until a network, a GPU or the visitor wants another. */
function pageEngine(spec, backend = 'auto') {
  const wanted = backend === 'webgpu' || (backend === 'auto' && gpu && !gpu.software);
  opening &&= usable.has('first') && !wanted && (spec === undefined || suitsFirst(spec));
  return opening ? 'first' : engineFor(spec, { backend });
}

/**
 * The build for a run: the fastest that this browser can run and that the spec allows. Without a
 * spec, the one that most runs get. What has a GPU backend is for who asks for it, or for `auto`
 * where the GPU is none of software.
 */
function engineFor(spec, { threads, build, backend } = {}) {
  if (usable.has('gpu') && backend === 'webgpu') return 'gpu';
  if (build === 'plain' || spec?.train?.strict === true) return 'plain';
  if (usable.has('gpu') && backend !== 'cpu' && gpu && !gpu.software && !build) return 'gpu';
  if (usable.has('threads') && (build === 'threads' || (threads !== 1 && build !== 'relaxed'))) return 'threads';
  return usable.has('relaxed') ? 'relaxed' : 'plain';
}

/** An error as the API promises it: `code`, and `failure` as the JSON that the worker would send. */
function fail(code, message, problem = 'internal', args = { detail: message }) {
  return failure({ code, message, problems: [{ layer: null, field: null, code: problem, args, message }] });
}

const failure = (f) =>
  Object.assign(new Error(f.message), { code: f.code, problems: f.problems, failure: JSON.stringify(f) });

/** Calls every listener; what one of them throws is reported and hinders no other. */
function tell(listeners, ...args) {
  for (const f of [...listeners]) {
    try {
      f(...args);
    } catch (e) {
      reportError(e);
    }
  }
}

/** A trainer worker. Messages carry JSON text; arrays and files travel beside it. */
class Trainer {
  #worker;
  /** Threads that it asked for. */
  #helpers = [];
  #pending = new Map();
  #listeners = new Set();
  #queue = [];
  #ready = false;
  #next = 1;
  #timer;
  /** Ids of the runs it holds, for whom a crash is a fault. */
  runs = new Set();
  /** Why it can be used no more, or null. */
  dead = null;
  /** For the options of a run on it: what there is in a GPU's place. */
  get gpu() {
    if (this.build === 'gpu' || gpu === undefined || (gpu && !gpu.software)) return null;
    return gpu ? 'software' : 'none';
  }

  /** `build`: as `engineFor` says. */
  constructor(build) {
    this.#begin(build);
    this.#timer = setTimeout(() => this.#crash('The trainer did not start in time. Reload the page.'), START_MS);
  }

  #begin(build) {
    this.build = build;
    const file = build === 'plain' ? 'trainer' : `trainer-${build}`;
    const url = new URL(`./${file}_loader.js${here.search}`, here);
    this.#worker = new Worker(url, { type: 'module', name: 'nabla trainer' });
    this.#worker.onmessage = (e) => this.#receive(e.data);
    this.#worker.onerror = (e) => {
      e.preventDefault?.();
      if (!this.#ready && build !== 'plain') return this.#retreat();
      const what = this.#ready ? 'The trainer stopped' : 'The trainer could not be started';
      this.#crash(`${what}: ${e.message || `${url.pathname} did not load`}.`);
    };
    this.#worker.onmessageerror = () => this.#crash('The trainer sent a message that cannot be read.');
  }

  /** A build that does not start here (no memory to share, a file that is missing) gives way to the next. */
  #retreat() {
    console.warn(`nabla: the ${this.build} build did not start; another one is taken.`);
    usable.delete(this.build);
    this.#quit();
    this.#begin(pageEngine());
  }

  /** Sends a request (JSON text or an object) and awaits the answer `{ body, buffers }`. The buffers are transferred. */
  call(body, buffers = [], files = []) {
    return new Promise((resolve, reject) => {
      if (this.dead) return reject(failure(this.dead));
      const id = this.#next++;
      const text = typeof body === 'string' ? body : JSON.stringify(body);
      this.#pending.set(id, { resolve, reject });
      const message = [{ id, body: text, buffers: [...buffers], files: [...files] }, [...buffers]];
      if (this.#ready) this.#post(message);
      else this.#queue.push(message);
    });
  }

  /** Calls f(event as JSON text, buffers) for every event; returns a function that removes f. */
  on(f) {
    this.#listeners.add(f);
    return () => this.#listeners.delete(f);
  }

  terminate() {
    this.#end({ code: 'cancelled', message: 'The trainer was stopped.', problems: [] });
  }

  #post([message, transfer]) {
    try {
      this.#worker.postMessage(message, transfer);
    } catch (e) {
      const waiting = this.#pending.get(message.id);
      this.#pending.delete(message.id);
      waiting?.reject(fail('bad-data', `The data cannot be handed to the trainer: ${e.message}.`));
    }
  }

  #receive(m) {
    if (m.ready) {
      this.#ready = true;
      clearTimeout(this.#timer);
      for (const message of this.#queue.splice(0)) this.#post(message);
    } else if (m.fatal !== undefined) {
      this.#crash(JSON.parse(m.fatal));
    } else if (m.event !== undefined) {
      tell(this.#listeners, m.event, m.buffers ?? []);
    } else if (m.helper !== undefined) {
      this.#help(m);
    } else {
      const waiting = this.#pending.get(m.id);
      this.#pending.delete(m.id);
      if (m.ok) waiting?.resolve({ body: m.body, buffers: m.buffers ?? [] });
      else waiting?.reject(failure(JSON.parse(m.body)));
    }
  }

  /** Starts a thread of the trainer's; says `true` to the port when it is up, otherwise why it is not. */
  #help({ helper, message, port }) {
    const worker = new Worker(helper, { type: 'module', name: 'nabla helper' });
    worker.onmessage = () => port.postMessage(true);
    worker.onerror = (e) => {
      e.preventDefault?.();
      port.postMessage(e.message || `${helper} did not load`);
    };
    this.#helpers.push(worker);
    worker.postMessage(message);
  }

  #quit() {
    for (const worker of [this.#worker, ...this.#helpers.splice(0)]) worker.terminate();
  }

  #crash(why) {
    if (this.dead) return;
    const code = /memory|allocation/i.test(why) ? 'out-of-memory' : 'internal';
    const f = typeof why === 'string' ? JSON.parse(fail(code, why).failure) : why;
    const runs = this.runs.size ? [...this.runs] : [0];
    this.#end(f);
    for (const run of runs) tell(this.#listeners, JSON.stringify({ type: 'fault', run, failure: f }), []);
  }

  #end(f) {
    if (this.dead) return;
    this.dead = f;
    clearTimeout(this.#timer);
    this.#quit();
    this.#queue.length = 0;
    for (const { reject } of this.#pending.values()) reject(failure(f));
    this.#pending.clear();
  }
}

const idle = new Map(); // by build: warm, for the next run
const pages = new Set(); // those on which the page trains: one, or two while it changes over
const busy = new Set();

function take(build) {
  const warm = idle.get(build);
  idle.delete(build);
  const trainer = warm && !warm.dead ? warm : new Trainer(build);
  busy.add(trainer);
  return trainer;
}

function release(trainer, memory) {
  busy.delete(trainer);
  const other = idle.get(trainer.build);
  if (!trainer.dead && memory <= REUSE_BYTES && (!other || other.dead)) idle.set(trainer.build, trainer);
  else trainer.terminate();
}

/** Releases a worker after its run, if it has one. */
function giveBack(trainer, run) {
  trainer.call({ type: 'dispose', run }).then(
    ({ body }) => release(trainer, JSON.parse(body).memory),
    () => release(trainer, Infinity),
  );
}

/** For questions that concern no run: any worker answers them between steps. */
function any() {
  for (const trainer of [...idle.values(), ...busy]) if (!trainer.dead) return trainer;
  const trainer = new Trainer(pageEngine());
  idle.set(trainer.build, trainer);
  return trainer;
}

async function ask(body) {
  return JSON.parse((await any().call(body)).body);
}

/** Those of the named options that are given, which must be whole numbers from a minimum on. */
function counts(options, minima) {
  const given = Object.entries(minima).filter(([name]) => options[name] != null);
  for (const [name, min] of given) {
    const n = options[name];
    if (!Number.isInteger(n) || n < min || n > 0xffffffff) {
      throw fail('bad-spec', `${name} is ${n}; it must be a whole number, at least ${min}.`);
    }
  }
  return Object.fromEntries(given.map(([name]) => [name, options[name]]));
}

/** What packs arrays and files, once it is there: then a call takes its copy before it returns. */
let arrays = null;
const loadArrays = async () => {
  const { packer } = await import(new URL(`./nabla-arrays.js${here.search}`, here));
  return (arrays = packer(fail, counts));
};

// ---- Runs ----

/** One network in training. */
class Run {
  #trainer;
  #id;
  #owned;
  #off;
  #info;
  #closed = false;
  #listeners = Object.fromEntries(EVENTS.map((e) => [e, new Set()]));
  /** Rows of consecutive steps, with room for more behind them: `{ first, count, rows }`. */
  #chunks = [];
  #val = [];
  /** What it was loaded with, for a worker that it moves to. */
  #options;
  /** While it moves to another worker: when that is done, and whether training was stopped meanwhile. */
  #moving = null;

  /** `owned`: disposing of the run gives its worker back. */
  constructor(trainer, info, owned, options = {}) {
    this.#owned = owned;
    this.#options = options;
    this.follow(trainer, info);
  }

  /** For the page and for moves: goes on as this run of that worker. */
  follow(trainer, info) {
    this.#off?.();
    this.#trainer?.runs.delete(this.#id);
    this.#trainer = trainer;
    this.#id = info.run;
    this.#info = info;
    trainer.runs.add(this.#id);
    this.#off = trainer.on((text, buffers) => this.#receive(text, buffers));
  }

  get info() {
    return this.#info;
  }

  #receive(text, buffers) {
    const event = JSON.parse(text);
    if (event.run !== this.#id) return;
    const { type, run, ...detail } = event;
    if (type === 'tick') {
      const rows = new Float32Array(buffers[0]);
      const last = this.#record(event.first, rows);
      tell(this.#listeners[type], { ...detail, step: event.first + event.steps - 1, loss: last, columns: this.#info.columns, rows });
    } else if (type === 'epoch') {
      while (this.#val.length && this.#val.at(-1).epoch >= event.epoch) this.#val.pop();
      if (event.validation) this.#val.push({ epoch: event.epoch, step: event.step, ...number(event.validation) });
      tell(this.#listeners[type], detail);
    } else if (type === 'fault') {
      tell(this.#listeners[type], failure(event.failure));
    } else if (type === 'backend') {
      this.#info = { ...this.#info, backend: event.backend, why: event.why };
      tell(this.#listeners[type], detail);
    }
  }

  /** Appends rows of a tick; steps that come again (after a reset) replace the old ones. */
  #record(first, rows) {
    this.#forget(first);
    const n = this.#info.columns.length;
    const count = Math.floor(rows.length / n);
    let end = this.#chunks.at(-1);
    if (end && end.first + end.count === first && (end.count + count) * n <= end.rows.length) {
      end.rows.set(rows, end.count * n);
      end.count += count;
    } else if (count) {
      end = { first, count, rows: new Float32Array(Math.max(rows.length, ROOM)) };
      end.rows.set(rows);
      this.#chunks.push(end);
    }
    return end?.rows[(end.count - 1) * n];
  }

  #forget(from) {
    while (this.#chunks.at(-1)?.first >= from) this.#chunks.pop();
    const end = this.#chunks.at(-1);
    if (end) end.count = Math.min(end.count, from - end.first);
    while (this.#val.length && this.#val.at(-1).step > from) this.#val.pop();
  }

  async #call(type, fields, buffers) {
    if (this.#closed) throw fail('cancelled', 'This run was disposed of. Load the spec again.', 'unknown-run', { run: `${this.#id}` });
    const answer = await this.#trainer.call({ type, run: this.#id, ...fields }, buffers);
    return { value: JSON.parse(answer.body), buffers: answer.buffers };
  }

  async train(how = {}) {
    const fields = counts(how, { steps: 1, epochs: 1 });
    const epochOf = (step) => Math.floor(step / this.#info.stepsPerEpoch);
    const begun = this.#step;
    if (this.#moving) this.#moving.halted = false;
    for (;;) {
      const { stopped, best, diverged, ...end } = (await this.#call('train', fields)).value;
      const moving = stopped === 'cancelled' && this.#moving;
      await moving?.done?.catch(() => {});
      // It goes on elsewhere, unless it was done or stopped meanwhile.
      if (how.steps) fields.steps = begun + how.steps - end.step;
      if (how.epochs) fields.epochs = epochOf(begun) + how.epochs - epochOf(end.step);
      if (!moving || moving.halted || fields.steps === 0 || fields.epochs === 0) {
        return { ...end, ...(stopped && { stopped }), ...(best && { best }), ...(diverged && { diverged }) };
      }
    }
  }

  /** The step that comes next. */
  get #step() {
    const end = this.#chunks.at(-1);
    return Math.max(this.#info.step, end ? end.first + end.count : 0);
  }

  stop() {
    if (this.#moving) this.#moving.halted = true;
    this.#call('stop').catch(() => {});
  }

  /** Goes on with 'cpu' or 'webgpu' from the very step where it is. */
  async move(backend) {
    if (!['cpu', 'webgpu'].includes(backend)) throw fail('bad-spec', `A run moves to “cpu” or “webgpu”, not to “${backend}”.`);
    if (backend === 'webgpu' && this.#trainer.build !== 'gpu') {
      await needGpu(backend);
      if (!this.#owned) throw fail('no-webgpu', 'The page trains on a build of the engine without WebGPU. Choose WebGPU in its settings of the training.');
      const { move } = await gpuModule();
      const pack = (arrays ?? (await loadArrays())).packOptions;
      const from = this.#trainer;
      const done = move(this.#call.bind(this), this.#id, () => this.#info, this.#options, { take, giveBack, pack }).then((to) => {
        this.follow(...to);
        giveBack(from, this.#id);
      });
      this.#moving = { done, halted: false };
      await done.finally(() => (this.#moving = null));
    } else {
      this.#info = (await this.#call('move', { backend })).value;
    }
    return this.#info;
  }

  async step() {
    return number((await this.#call('step')).value);
  }

  history() {
    const { columns } = this.#info;
    const n = columns.length;
    const gather = (value) => this.#chunks.flatMap((chunk) => Array.from({ length: chunk.count }, (_, i) => value(chunk, i)));
    const column = (c) => gather(({ rows }, i) => rows[i * n + c]);
    const metrics = Object.fromEntries(columns.flatMap((name, c) => (name === 'loss' ? [] : [[name, column(c)]])));
    const loss = columns.includes('loss') ? column(columns.indexOf('loss')) : [];
    return { step: gather(({ first }, i) => first + i), loss, val: this.#val.map((v) => ({ ...v })), metrics };
  }

  async set(values) {
    for (const [name, v] of Object.entries(values ?? {})) {
      if (!Number.isFinite(v)) throw fail('bad-spec', `${name} must be a finite number; got ${v}.`);
    }
    const { value } = await this.#call('set', { values });
    this.#info = { ...this.#info, hyper: value };
    return value;
  }

  async evaluate(part = 'validation') {
    return number((await this.#call('evaluate', { part: checkPart(part) })).value);
  }

  async predict(data, shape, { scaled = false } = {}) {
    const given = (arrays ?? (await loadArrays())).packSamples(data, shape, this.#info.data.shape);
    return toTensor(await this.#call('predict', { shape: given.shape, scaled }, [given.values.buffer]));
  }

  async tensors() {
    return (await this.#call('tensors')).value;
  }

  async tensor(name) {
    return toTensor(await this.#call('tensor', { name: String(name) }));
  }

  /** Samples of a part as they came, with their targets and rows. */
  async samples(part = 'train', start = 0, count = 16) {
    const { value, buffers } = await this.#call('samples', { part: checkPart(part), start, count });
    const [x, y] = [new Float32Array(buffers[0]), new Float32Array(buffers[1])];
    return { ...value, x: { data: x, shape: [value.count, ...value.shape] }, y, rows: new Uint32Array(buffers[2]) };
  }

  async weights() {
    return (await this.#call('weights')).buffers[0];
  }

  /** How it scales: what the network sees is x·mul + add, by feature; targets are (y − mean) / std. Empty: it does not. */
  async scaling() {
    const [mul, add, mean, std] = (await this.#call('scaling')).buffers.map((b) => new Float32Array(b));
    return { mul, add, mean, std };
  }

  async checkpoint() {
    return (await this.#call('checkpoint')).buffers[0];
  }

  async saved() {
    return (await this.#call('saved')).value;
  }

  async savedFile(name) {
    return (await this.#call('savedFile', { name: String(name) })).buffers[0];
  }

  async time(how = {}) {
    return (await this.#call('time', counts(how, { steps: 1, warmup: 0 }))).value;
  }

  /** Initial weights and step 0 again, with another seed when one is given. */
  async reset({ seed } = {}) {
    this.#info = (await this.#call('reset', { seed: seed ?? null })).value;
    this.#forget(0);
    return this.#info;
  }

  on(type, f) {
    const set = Object.hasOwn(this.#listeners, type) && this.#listeners[type];
    if (!set) throw fail('bad-spec', `There is no event “${type}”. Known: ${EVENTS.join(', ')}.`);
    set.add(f);
    return () => set.delete(f);
  }

  /** Ends the run and frees its memory. The page's own run is only let go of. */
  async dispose() {
    if (this.#closed) return;
    const answer = this.#owned && this.#call('dispose').catch(() => null);
    this.#closed = true;
    this.#off();
    this.#trainer.runs.delete(this.#id);
    if (answer) release(this.#trainer, (await answer)?.value?.memory ?? Infinity);
  }
}

function checkPart(part) {
  if (PARTS.includes(part)) return part;
  throw fail('bad-data', `There is no part “${part}”. Choose ${PARTS.join(', ')}.`);
}

/** JSON has no NaN: a loss that is not finite comes as null. */
const number = (report) => Object.fromEntries(Object.entries(report).map(([k, v]) => [k, v ?? NaN]));

const toTensor = ({ value, buffers }) => ({ data: new Float32Array(buffers[0]), shape: value.shape });

let nextRun = 1;

/** Starts a run on a worker of its own. */
async function start(type, fields, { options, files }, buffers, spec, given) {
  await needGpu(options.backend);
  const trainer = take(engineFor(spec, given));
  const run = nextRun++;
  try {
    const { body } = await trainer.call({ type, run, ...fields, options: { ...options, gpu: trainer.gpu } }, buffers, files);
    return new Run(trainer, JSON.parse(body), true, given);
  } catch (e) {
    giveBack(trainer, run);
    throw e;
  }
}

function toSpec(given) {
  let spec = given;
  try {
    if (typeof given === 'string') spec = JSON.parse(given);
  } catch (e) {
    throw fail('bad-spec', `The spec is not valid JSON: ${e.message}.`, 'json', { detail: e.message });
  }
  if (spec !== null && typeof spec === 'object') return spec;
  throw fail('bad-spec', 'The spec must be an object; nabla.preset(id) gives one.');
}

// ---- The public object ----

const tools = () => import(new URL(`./nabla-tools.js${here.search}`, here));
const data = () => import(new URL(`./nabla-data.js${here.search}`, here));

function damaged(e) {
  throw fail('bad-spec', `The link is damaged or cut short (${e.message}). Copy it again, whole.`);
}

const EXPORTS = ['pytorch', 'keras', 'pytorch-notebook', 'keras-notebook', 'onnx', 'spec', 'link'];

/** What the module for code answered, or its problems as an error. */
function answer(code, { problems, ...given }) {
  if (problems) throw failure({ code, message: problems.map((p) => p.message).join(' '), problems });
  return given;
}

/** What was read, or an error with its notes where no network was found. */
function found(read) {
  if (read.spec) return read;
  const where = (n) => (n.line ? `Line ${n.line}: ${n.message}` : n.message);
  throw Object.assign(fail('bad-spec', read.notes.map(where).join(' ')), { notes: read.notes });
}

let shown = null;
let list = null;
const presets = ask({ type: 'presets' }).then((l) => (list = l));

const nabla = {
  /** What this machine offers. */
  ready: presets.then(async () => {
    const hello = await ask({ type: 'hello' });
    const relaxedSimd = usable.has('relaxed') || usable.has('threads');
    return { ...hello, cpu: { ...hello.cpu, relaxedSimd, threads: usable.has('threads') ? cores : 1 }, webgpu: await findGpu() };
  }),

  presets: () => list ?? presets,

  preset: (id) => ask({ type: 'preset', id: String(id) }),

  /** Shapes and counts, and what is wrong, each problem with what mends it. */
  async check(spec) {
    const given = toSpec(spec);
    const report = await ask({ type: 'check', spec: given });
    const sound = !report.errors.length && !report.hints.length;
    return sound ? report : (await tools()).withRepairs(given, report);
  },

  current: () => shown,

  async load(spec, options = {}) {
    const buffers = [];
    const given = toSpec(spec);
    const packed = (arrays ?? (await loadArrays())).packOptions(options, given, buffers);
    return start('load', { spec: packed.spec }, packed, buffers, packed.spec, options);
  },

  async resume(checkpoint, options = {}) {
    const { copyBytes, packOptions, specOf } = arrays ?? (await loadArrays());
    const buffers = [copyBytes(checkpoint, 'The checkpoint')];
    const packed = packOptions(options, null, buffers);
    return start('resume', {}, packed, buffers, specOf(buffers[0]), options);
  },

  /** Text, or an ArrayBuffer for 'onnx', which has the weights of `run` or those that it begins with. */
  async export(spec, format, { run } = {}) {
    const given = toSpec(spec);
    if (format === 'onnx') return (await tools()).toOnnx(nabla, given, run, answer);
    if (format === 'spec') return JSON.stringify(given, null, 2);
    if (format === 'link') {
      // What is out of bounds is packed as it is; opening the link says what is wrong.
      const short = await ask({ type: 'short', spec: given }).catch(() => given);
      return (await tools()).toLink(short, new URL('./', here).href);
    }
    const [, framework, notebook] = /^(pytorch|keras)(-notebook)?$/.exec(format) ?? [];
    if (!framework) throw fail('bad-spec', `There is no export “${format}”. Choose ${EXPORTS.join(', ')}.`);
    const code = await nabla.code(given, framework);
    return notebook ? code.notebook : code.text;
  },

  /** The script of a spec for 'pytorch' or 'keras', with the lines that belong to layers; with `study` (its ranges, or true) an Optuna study. */
  async code(spec, framework = spec?.framework ?? 'pytorch', { language = 'en', study } = {}) {
    if (!['pytorch', 'keras'].includes(framework)) throw fail('bad-spec', `There is no code for “${framework}”. Choose pytorch or keras.`);
    if (study) return answer('bad-spec', await (await tools()).study(toSpec(spec), framework, study === true ? {} : study, language));
    return answer('bad-spec', await (await tools()).script(toSpec(spec), framework, language));
  },

  async import(text, { language = 'en', keep } = {}) {
    if (typeof text === 'object' && text !== null) {
      const { copyBytes } = arrays ?? (await loadArrays());
      return found(await (await tools()).readOnnx(new Uint8Array(copyBytes(text, 'The file')), keep, language));
    }
    const given = String(text).trim();
    let spec;
    const object = given.startsWith('{') ? toSpec(given) : null;
    // A notebook is an object with cells.
    if (object && !object.cells && !object.worksheets) spec = object;
    else if (/^\S*(^|[#&?])spec=\S*$/.test(given)) spec = await (await tools()).fromLink(given).catch(damaged);
    else {
      return found(await (await tools()).readScript(String(text), language));
    }
    const report = await ask({ type: 'check', spec });
    const problems = report.errors.filter((e) => e.code === 'json' || e.code === 'version');
    if (problems.length) throw failure({ code: 'bad-spec', message: problems[0].message, problems });
    const notes = report.errors.map((e) => ({ line: null, layer: e.layer, field: e.field, message: e.message }));
    // A link leaves out what is the default. What is out of bounds stays as it came, with the notes.
    return { spec: await ask({ type: 'whole', spec }).catch(() => spec), notes };
  },

  bench: async (options) => (await tools()).bench(nabla, options),

  datasets: async () => (await data()).list(),
  walk: async (entries) => (await data()).walk(entries),
  dataset: async (name, progress) => (await data()).get(name, progress),
  cancelDataset: async (name) => (await data()).cancel(name),
  forgetDataset: async (name) => (await data()).forget(name),

  /** For the page: a run's checkpoint on this device, one at a time. */
  keepRun: async (state) => (await data()).keepRun(state),
  keptRun: async () => (await data()).keptRun(),

  /** For the page: a worker of the build that suits the spec (JSON); the same one until it crashes. */
  connect(spec, backend = 'auto') {
    const given = spec == null ? undefined : toSpec(spec);
    const build = pageEngine(given, backend);
    // Beyond the first engine it takes a look at what there is.
    if (backend === 'webgpu' ? !gpu : gpu === undefined && backend === 'auto' && build !== 'first') {
      return needGpu(backend).then(() => nabla.connect(given, backend));
    }
    for (const trainer of pages) {
      if (trainer.dead) {
        pages.delete(trainer);
        busy.delete(trainer);
      } else if (trainer.build === build) {
        return trainer;
      }
    }
    const trainer = take(build);
    pages.add(trainer);
    return trainer;
  },

  /** For the page: it trains on this worker no more. */
  leave(trainer) {
    if (pages.delete(trainer)) giveBack(trainer, 0);
  },

  /** For the page: says which run it shows (JSON of its info), or none; `moved`: the one it showed, gone elsewhere. */
  show(trainer, info, moved = false) {
    const given = typeof info === 'string' ? JSON.parse(info) : info;
    if (moved && shown && given) {
      shown.follow(trainer, given);
      return shown;
    }
    shown?.dispose();
    shown = given ? new Run(trainer, given, false) : null;
    return shown;
  },
};
presets.catch(() => {});
if (OFFERED.includes('threads') && !globalThis.crossOriginIsolated) {
  nabla.ready.then(() => import(new URL(`./isolate.js${here.search}`, here))).catch(() => {});
}
nabla.ready.catch(() => {});

globalThis.nabla = nabla;
export default nabla;
export { Run, Trainer };
