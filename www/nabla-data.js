// What nabla.js loads only when it is asked for: public data sets, from the site's own folder or from
// mirrors, verified, and kept on this device.

const CACHE = 'nabla-data-v1';
const here = new URL('./', import.meta.url);

const idx = (sums) =>
  ['train-images-idx3-ubyte.gz', 'train-labels-idx1-ubyte.gz', 't10k-images-idx3-ubyte.gz', 't10k-labels-idx1-ubyte.gz'].map((name, i) => ({ name, ...sums[i] }));

/** Sizes in bytes; sums are SHA-256, as published by those who host the sets. */
const SETS = {
  mnist: {
    title: 'MNIST',
    mirrors: ['https://storage.googleapis.com/cvdf-datasets/mnist/', 'https://ossci-datasets.s3.amazonaws.com/mnist/'],
    files: idx([
      { bytes: 9912422, sha256: '440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609' },
      { bytes: 28881, sha256: '3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c' },
      { bytes: 1648877, sha256: '8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6' },
      { bytes: 4542, sha256: 'f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6' },
    ]),
  },
  'fashion-mnist': {
    title: 'Fashion-MNIST',
    mirrors: ['https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/'],
    files: idx([
      { bytes: 26421880, sha256: '3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84' },
      { bytes: 29515, sha256: 'a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845' },
      { bytes: 4422102, sha256: '346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073' },
      { bytes: 5148, sha256: '67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5' },
    ]),
  },
  cifar10: {
    title: 'CIFAR-10',
    mirrors: ['https://www.cs.toronto.edu/~kriz/'],
    files: [{ name: 'cifar-10-binary.tar.gz', bytes: 170052171, sha256: 'c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd' }],
  },
  imdb: {
    title: 'IMDB',
    mirrors: ['https://ai.stanford.edu/~amaas/data/sentiment/'],
    files: [{ name: 'aclImdb_v1.tar.gz', bytes: 84125825, sha256: 'c40f74a18d3b61f90feba1e17730e0d38e8b97c05fde7008942e91923d1658fe' }],
  },
};

const sum = (list) => list.reduce((n, f) => n + f.bytes, 0);
const place = (set, file) => new URL(`data/${set}/${file}`, here).href;
const cache = () => globalThis.caches?.open(CACHE).catch(() => null) ?? null;

function fail(code, message) {
  return Object.assign(new Error(message), { code });
}

function known(name) {
  const set = SETS[name];
  if (!set) throw fail('bad-data', `There is no data set “${name}”. Known are ${Object.keys(SETS).join(', ')}.`);
  return set;
}

/** Names, sizes, and how much of each is on this device. */
export async function list() {
  const store = await cache();
  return Promise.all(
    Object.entries(SETS).map(async ([name, { title, files }]) => {
      const there = await Promise.all(files.map((f) => store?.match(place(name, f.name)) ?? null));
      return { name, title, bytes: sum(files), cached: sum(files.filter((_, i) => there[i])) };
    }),
  );
}

const hex = (buffer) => [...new Uint8Array(buffer)].map((b) => b.toString(16).padStart(2, '0')).join('');

/** The bytes behind an address; refuses more than are expected. */
async function download(url, file, signal, progress) {
  const response = await fetch(url, { signal, cache: 'no-store' });
  if (!response.ok || !response.body) throw new Error(`HTTP ${response.status}`);
  const bytes = new Uint8Array(file.bytes);
  let at = 0;
  for (const reader = response.body.getReader(); ; ) {
    const { done, value } = await reader.read();
    if (done) break;
    if (at + value.length > bytes.length) {
      reader.cancel().catch(() => {});
      throw new Error(`more than the ${file.bytes} bytes that are expected`);
    }
    bytes.set(value, at);
    at += value.length;
    progress(at);
  }
  if (at < bytes.length) throw new Error(`${at} of ${file.bytes} bytes, then it ended`);
  const got = hex(await crypto.subtle.digest('SHA-256', bytes));
  if (got !== file.sha256) throw new Error(`its SHA-256 is ${got.slice(0, 12)}…, not ${file.sha256.slice(0, 12)}…`);
  return bytes;
}

const running = new Map();

/** Ends the downloads of a set. */
export function cancel(name) {
  running.get(name)?.abort();
}

/**
 * The set's files. Taken from this device where they are, else from the site's `data/` folder, else from a
 * mirror; `progress(share)` follows along from 0 to 1.
 */
export async function get(name, progress = () => {}) {
  const set = known(name);
  if (!globalThis.crypto?.subtle) {
    throw fail('bad-data', 'A download cannot be verified here: this needs https. Drop the files on the page instead.');
  }
  cancel(name);
  const control = new AbortController();
  running.set(name, control);
  const { signal } = control;
  const store = await cache();
  const total = sum(set.files);
  let before = 0;
  try {
    const files = [];
    for (const file of set.files) {
      const own = place(name, file.name);
      let bytes = await store?.match(own).then((r) => r?.arrayBuffer());
      const why = [];
      for (const url of bytes ? [] : [own, ...set.mirrors.map((m) => m + file.name)]) {
        try {
          bytes = await download(url, file, signal, (n) => progress((before + n) / total));
          break;
        } catch (e) {
          if (signal.aborted) throw fail('cancelled', 'The download was cancelled.');
          why.push(`${new URL(url).host}: ${e.message}`);
        }
      }
      if (!bytes) throw fail('bad-file', `${file.name} could not be fetched (${why.join('; ')}). Drop the file on the page instead.`);
      // A full device only means that it is fetched again another time.
      if (why.length || !(await store?.match(own))) await store?.put(own, new Response(bytes)).catch(() => {});
      before += file.bytes;
      progress(before / total);
      files.push(new File([bytes], file.name));
    }
    return files;
  } finally {
    if (running.get(name) === control) running.delete(name);
  }
}

/** Removes a set from this device. */
export async function forget(name) {
  const set = known(name);
  const store = await cache();
  await Promise.all(set.files.map((f) => store?.delete(place(name, f.name))));
}

const RUN = ['nabla-run-v1', new URL('kept-run', here).href];

/** Keeps a run's checkpoint, in place of the one before. */
export async function keepRun(state) {
  const store = await caches.open(RUN[0]);
  await store.put(RUN[1], new Response(state));
}

/** The checkpoint that was kept, or null. */
export async function keptRun() {
  const store = await globalThis.caches?.open(RUN[0]);
  return (await (await store?.match(RUN[1]))?.arrayBuffer()) ?? null;
}

/** Files of a folder, at most. */
const MOST = 250_000;

/** The files of dropped entries and what lies in them, each with its path as `webkitRelativePath`, in the order of their paths. */
export async function walk(entries) {
  const files = [];
  const visit = async (entry, path) => {
    if (entry.isFile) {
      const file = await new Promise((resolve, reject) => entry.file(resolve, reject));
      files.push(Object.defineProperty(file, 'webkitRelativePath', { value: path }));
      if (files.length > MOST) throw fail('bad-data', `The folder holds more than ${MOST} files.`);
      return;
    }
    const reader = entry.createReader();
    // It gives a hundred or so at a time.
    for (;;) {
      const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
      if (!some.length) break;
      for (const e of some) await visit(e, `${path}/${e.name}`);
    }
  };
  for (const e of entries) await visit(e, e.name);
  const of = (f) => f.webkitRelativePath;
  return files.sort((a, b) => (of(a) < of(b) ? -1 : of(a) > of(b) ? 1 : 0));
}
