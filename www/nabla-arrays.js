// What callers hand to nabla: options, arrays, files. nabla.js loads it with the first call that
// brings some.

const PARTS = ['train', 'validation', 'test'];
const FORMATS = ['idx', 'csv', 'cifar10', 'jsonl', 'text_csv', 'acl_imdb', 'images'];

/** `fail` and `counts` are nabla.js' own, which this module must not load a second time. */
export function packer(fail, counts) {
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

  /** What a sample for `predict` must be: values with their shape, `[count, ...sample]`. */
  function packSamples(data, shape, sample) {
    const given = toArray(shape === undefined ? data : { data, shape }, 'predict');
    if (product(given.shape.slice(1)) !== product(sample)) {
      const args = { got: show(given.shape.slice(1)), want: show(sample) };
      throw badData(`predict: give ${show(['count', ...sample])}, not ${show(given.shape)}.`, 'data-shape', args);
    }
    const values = given.values instanceof Float32Array ? given.values : Float32Array.from(given.values);
    return { shape: given.shape, values };
  }

  /** The spec within a checkpoint; null where it cannot be read, which the trainer then explains. */
  function specOf(checkpoint) {
    try {
      const length = Number(new DataView(checkpoint).getBigUint64(0, true));
      const header = JSON.parse(new TextDecoder().decode(new Uint8Array(checkpoint, 8, length)));
      return JSON.parse(JSON.parse(header.__metadata__.nabla).spec);
    } catch {
      return null;
    }
  }

  return { packOptions, packSamples, copyBytes, specOf };
}
