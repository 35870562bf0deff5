// nabla: the page's engine as a JavaScript API (see nabla.d.ts). A module without dependencies;
// all heavy work happens in trainer workers, one per run. A version in its address (`?v=…`) is
// passed on to what it loads.

/** A disposed run's worker is kept for the next one up to this much memory, for wasm memory never shrinks. */
const REUSE_BYTES = 96 << 20;
/** A worker that has not reported by then could not be loaded. */
const START_MS = 120_000;
const PARTS = ['train', 'validation', 'test'];
const EVENTS = ['tick', 'epoch', 'fault', 'backend'];

const here = new URL(import.meta.url);

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

  constructor() {
    const url = new URL(`./trainer_loader.js${here.search}`, here);
    this.#worker = new Worker(url, { type: 'module', name: 'nabla trainer' });
    this.#worker.onmessage = (e) => this.#receive(e.data);
    this.#worker.onerror = (e) => {
      e.preventDefault?.();
      const what = this.#ready ? 'The trainer stopped' : 'The trainer could not be started';
      this.#crash(`${what}: ${e.message || `${url.pathname} did not load`}.`);
    };
    this.#worker.onmessageerror = () => this.#crash('The trainer sent a message that cannot be read.');
    this.#timer = setTimeout(() => this.#crash('The trainer did not start in time. Reload the page.'), START_MS);
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
    } else {
      const waiting = this.#pending.get(m.id);
      this.#pending.delete(m.id);
      if (m.ok) waiting?.resolve({ body: m.body, buffers: m.buffers ?? [] });
      else waiting?.reject(failure(JSON.parse(m.body)));
    }
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
    this.#worker.terminate();
    this.#queue.length = 0;
    for (const { reject } of this.#pending.values()) reject(failure(f));
    this.#pending.clear();
  }
}

let idle = new Trainer(); // warm, for the next run
let pages = null; // the one on which the page trains
const busy = new Set();

function take() {
  const trainer = idle && !idle.dead ? idle : new Trainer();
  idle = null;
  busy.add(trainer);
  return trainer;
}

function release(trainer, memory) {
  busy.delete(trainer);
  if (!trainer.dead && memory <= REUSE_BYTES && (!idle || idle.dead)) idle = trainer;
  else trainer.terminate();
}

/** For questions that concern no run: any worker answers them between steps. */
function any() {
  if (idle && !idle.dead) return idle;
  for (const trainer of busy) if (!trainer.dead) return trainer;
  idle = new Trainer();
  return idle;
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

// ---- Arrays ----

const product = (shape) => shape.reduce((a, b) => a * b, 1);
const show = (shape) => `[${shape.join(', ')}]`;
const badData = (message, problem, args) => fail('bad-data', message, problem, args);

function checkShape(shape, length, what) {
  if (!shape.length || !shape.every((d) => Number.isInteger(d) && d > 0)) {
    throw badData(`${what}: the shape must be a list of positive integers, the number of samples first; got [${shape}].`);
  }
  const want = product(shape);
  if (want !== length) {
    const args = { shape: show(shape), want: `${want}`, got: `${length}` };
    throw badData(`${what}: shape ${show(shape)} means ${want} values, but ${length} were given.`, 'shape-data', args);
  }
}

/** Nested arrays as one flat list and their shape. */
function flatten(nested, what) {
  const isList = (a) => Array.isArray(a) || ArrayBuffer.isView(a);
  const shape = [];
  for (let a = nested; isList(a); a = a[0]) shape.push(a.length);
  const data = [];
  const walk = (a, depth) => {
    if ((isList(a) ? a.length : undefined) !== shape[depth]) throw badData(`${what}: the nested arrays are ragged.`);
    if (depth === shape.length) data.push(a);
    else for (const v of a) walk(v, depth + 1);
  };
  walk(nested, 0);
  return { data, shape };
}

/** A copy of the values, as one of the types that the trainer takes. */
function pack(data, what) {
  if (data instanceof Uint8Array || data instanceof Uint8ClampedArray) return { dtype: 'u8', values: new Uint8Array(data) };
  if ([Int32Array, Int16Array, Uint16Array, Int8Array].some((kind) => data instanceof kind)) {
    return { dtype: 'i32', values: new Int32Array(data) };
  }
  if (!Array.isArray(data) && (!ArrayBuffer.isView(data) || data instanceof DataView)) {
    throw badData(`${what}: give a typed array or an array of numbers.`);
  }
  const wrong = Array.isArray(data) ? data.findIndex((v) => !['number', 'boolean', 'bigint'].includes(typeof v)) : -1;
  if (wrong >= 0) throw badData(`${what}: the value at ${wrong} is no number: ${String(data[wrong])}.`);
  const plain = ArrayBuffer.isView(data) && typeof data[0] !== 'bigint';
  return { dtype: 'f32', values: plain ? new Float32Array(data) : Float32Array.from(data, Number) };
}

/** An array in any accepted form: `{ data, shape }`, nested arrays, or a flat list (one number per sample). */
function toArray(given, what) {
  const bare = Array.isArray(given) || ArrayBuffer.isView(given);
  let { data, shape } = bare ? { data: given } : (given ?? {});
  if (data == null) throw badData(`${what} is missing: give { data, shape }.`);
  if (Array.isArray(data) && data.length && typeof data[0] === 'object') {
    const flat = flatten(data, what);
    data = flat.data;
    shape ??= flat.shape;
  }
  const { dtype, values } = pack(data, what);
  shape = shape === undefined ? [values.length] : Array.from(shape);
  checkShape(shape, values.length, what);
  return { dtype, values, shape };
}

/** Puts arrays of training data into `buffers`; returns the message's description of them. */
function packData(data, buffers) {
  const out = {};
  let want = null;
  for (const part of PARTS) {
    const pair = data[part];
    if (pair == null && part !== 'train') continue;
    if (pair == null) throw badData('data.train is missing: give data: { train: { x, y } }.');
    const x = toArray(pair.x, `data.${part}.x`);
    const y = toArray(pair.y, `data.${part}.y`);
    if (x.shape[0] !== y.shape[0]) {
      throw badData(`data.${part}: x has ${x.shape[0]} samples, but y has ${y.shape[0]}.`);
    }
    const got = show(x.shape.slice(1));
    want ??= got;
    if (got !== want) {
      throw badData(`data.${part}.x: a sample has shape ${got}, those of data.train.x have ${want}.`, 'data-shape', { got, want });
    }
    const add = ({ dtype, values, shape }) => ({ buffer: buffers.push(values.buffer) - 1, dtype, shape });
    out[part] = { x: add(x), y: add(y) };
  }
  return out;
}

const FORMATS = ['idx', 'csv', 'cifar10', 'jsonl', 'text_csv', 'acl_imdb', 'images'];

/** IDX files told apart by name: bytes without one are named after their header and order. */
function packFiles(list, format) {
  const seen = { images: 0, labels: 0 };
  return Array.from(list, (file, i) => {
    if (file instanceof File) return file;
    if (file instanceof Blob) return new File([file], `file-${i + 1}.${format}`);
    const bytes = file instanceof ArrayBuffer ? new Uint8Array(file) : file;
    if (!(bytes instanceof Uint8Array)) throw badData(`data.files[${i}]: give a File or an ArrayBuffer.`);
    let name = `file-${i + 1}.${format}`;
    if (format === 'idx' && bytes[0] === 0 && bytes[1] === 0) {
      const kind = bytes[3] === 1 ? 'labels' : 'images';
      name = `${seen[kind]++ ? 't10k' : 'train'}-${kind}-idx${bytes[3]}-ubyte`;
    }
    return new File([bytes], name);
  });
}

/** The message's options, buffers and files, and the spec that goes with given files. */
function packOptions(options, spec, buffers) {
  const message = { backend: options.backend ?? 'auto', ...counts(options, { threads: 1, seed: 0 }) };
  if (!['auto', 'cpu', 'webgpu'].includes(message.backend)) {
    throw fail('bad-spec', `There is no backend “${message.backend}”. Choose “auto”, “cpu” or “webgpu”.`);
  }
  if (options.weights != null) message.weights = buffers.push(copyBytes(options.weights, 'weights')) - 1;
  let files = [];
  const data = options.data;
  if (data?.files) {
    const format = data.format ?? spec?.data?.source?.format;
    if (spec && !FORMATS.includes(format)) {
      throw badData(`This version reads files of the formats ${FORMATS.join(', ')}, not “${format}”.`);
    }
    files = packFiles(data.files, format);
    message.files = true;
    const own = spec?.data?.source;
    if (spec && (own?.kind !== 'files' || own.format !== format)) {
      spec = { ...spec, data: { ...spec.data, source: { kind: 'files', name: files[0]?.name || 'files', format } } };
    }
  } else if (data != null) {
    message.data = packData(data, buffers);
  }
  return { options: message, files, spec };
}

function copyBytes(given, what) {
  if (given instanceof ArrayBuffer) return given.slice(0);
  if (ArrayBuffer.isView(given)) return given.buffer.slice(given.byteOffset, given.byteOffset + given.byteLength);
  throw fail('bad-file', `${what}: give an ArrayBuffer.`);
}

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
  #steps = [];
  #rows;
  #val = [];

  /** `owned`: disposing of the run gives its worker back. */
  constructor(trainer, info, owned) {
    this.#trainer = trainer;
    this.#owned = owned;
    this.#id = info.run;
    this.#info = info;
    this.#rows = info.columns.map(() => []);
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
    const n = this.#rows.length;
    for (let i = 0; i * n < rows.length; i++) {
      this.#steps.push(first + i);
      for (let c = 0; c < n; c++) this.#rows[c].push(rows[i * n + c]);
    }
    return this.#rows[0].at(-1);
  }

  #forget(from) {
    let keep = this.#steps.length;
    while (keep && this.#steps[keep - 1] >= from) keep--;
    this.#steps.length = keep;
    for (const column of this.#rows) column.length = keep;
    while (this.#val.length && this.#val.at(-1).step > from) this.#val.pop();
  }

  async #call(type, fields, buffers) {
    if (this.#closed) throw fail('cancelled', 'This run was disposed of. Load the spec again.', 'unknown-run', { run: `${this.#id}` });
    const answer = await this.#trainer.call({ type, run: this.#id, ...fields }, buffers);
    return { value: JSON.parse(answer.body), buffers: answer.buffers };
  }

  async train(how = {}) {
    const fields = counts(how, { steps: 1, epochs: 1 });
    const { stopped, best, ...end } = (await this.#call('train', fields)).value;
    return { ...end, ...(stopped && { stopped }), ...(best && { best }) };
  }

  stop() {
    this.#call('stop').catch(() => {});
  }

  async step() {
    return number((await this.#call('step')).value);
  }

  history() {
    const metrics = {};
    this.#info.columns.forEach((name, c) => {
      if (name !== 'loss') metrics[name] = this.#rows[c].slice();
    });
    const loss = this.#rows[this.#info.columns.indexOf('loss')]?.slice() ?? [];
    return { step: this.#steps.slice(), loss, val: this.#val.map((v) => ({ ...v })), metrics };
  }

  async set(values) {
    for (const [name, v] of Object.entries(values ?? {})) {
      if (!Number.isFinite(v)) throw fail('bad-spec', `${name} must be a finite number; got ${v}.`);
    }
    return (await this.#call('set', { values })).value;
  }

  async evaluate(part = 'validation') {
    return number((await this.#call('evaluate', { part: checkPart(part) })).value);
  }

  async predict(data, shape, { scaled = false } = {}) {
    const given = toArray(shape === undefined ? data : { data, shape }, 'predict');
    const sample = this.#info.data.shape;
    const want = product(sample);
    if (product(given.shape.slice(1)) !== want) {
      const args = { got: show(given.shape.slice(1)), want: show(sample) };
      throw badData(`predict: give ${show(['count', ...sample])}, not ${show(given.shape)}.`, 'data-shape', args);
    }
    const values = given.values instanceof Float32Array ? given.values : Float32Array.from(given.values);
    return toTensor(await this.#call('predict', { shape: given.shape, scaled }, [values.buffer]));
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
async function start(type, fields, options, buffers, files) {
  const trainer = take();
  const run = nextRun++;
  try {
    const { body } = await trainer.call({ type, run, ...fields, options }, buffers, files);
    return new Run(trainer, JSON.parse(body), true);
  } catch (e) {
    trainer.call({ type: 'dispose', run }).then(
      ({ body }) => release(trainer, JSON.parse(body).memory),
      () => release(trainer, Infinity),
    );
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

let shown = null;
let list = null;
const presets = ask({ type: 'presets' }).then((l) => (list = l));

const nabla = {
  /** What this machine offers. */
  ready: presets.then(() => ask({ type: 'hello' })),

  presets: () => list ?? presets,

  preset: (id) => ask({ type: 'preset', id: String(id) }),

  check: async (spec) => ask({ type: 'check', spec: toSpec(spec) }),

  current: () => shown,

  async load(spec, options = {}) {
    const buffers = [];
    const packed = packOptions(options, toSpec(spec), buffers);
    return start('load', { spec: packed.spec }, packed.options, buffers, packed.files);
  },

  async resume(checkpoint, options = {}) {
    const buffers = [copyBytes(checkpoint, 'The checkpoint')];
    const packed = packOptions(options, null, buffers);
    return start('resume', {}, packed.options, buffers, packed.files);
  },

  async export(spec, format) {
    const given = toSpec(spec);
    if (format === 'spec') return JSON.stringify(given, null, 2);
    if (format === 'link') return (await tools()).toLink(given, new URL('./', here).href);
    throw fail('bad-spec', `This version does not export “${format}”. Choose “spec” or “link”.`);
  },

  async import(text) {
    const given = String(text).trim();
    let spec;
    if (given.startsWith('{')) spec = toSpec(given);
    else if (!/(^|[#&?])spec=/.test(given)) throw fail('bad-spec', 'This is neither a spec nor a link. This version does not read PyTorch or Keras code.');
    else spec = await (await tools()).fromLink(given).catch(damaged);
    const report = await nabla.check(spec);
    const problems = report.errors.filter((e) => e.code === 'json' || e.code === 'version');
    if (problems.length) throw failure({ code: 'bad-spec', message: problems[0].message, problems });
    const notes = report.errors.map((e) => ({ line: null, layer: e.layer, field: e.field, message: e.message }));
    return { spec, notes };
  },

  bench: async (options) => (await tools()).bench(nabla, options),

  datasets: async () => (await data()).list(),
  dataset: async (name, progress) => (await data()).get(name, progress),
  cancelDataset: async (name) => (await data()).cancel(name),
  forgetDataset: async (name) => (await data()).forget(name),

  /** For the page: a run's checkpoint on this device, one at a time. */
  keepRun: async (state) => (await data()).keepRun(state),
  keptRun: async () => (await data()).keptRun(),

  /** For the page: the worker that it trains on; a new one after a crash. */
  connect() {
    if (!pages || pages.dead) {
      if (pages) busy.delete(pages);
      pages = take();
    }
    return pages;
  },

  /** For the page: says which run it shows (JSON of its info), or none. */
  show(trainer, info) {
    shown?.dispose();
    shown = info ? new Run(trainer, typeof info === 'string' ? JSON.parse(info) : info, false) : null;
    return shown;
  },
};
presets.catch(() => {});
nabla.ready.catch(() => {});

globalThis.nabla = nabla;
export default nabla;
export { Run, Trainer };
