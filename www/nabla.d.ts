/**
 * `window.nabla`: train the networks of a tutorial from the console, an embedding page or an
 * automated browser. Load `nabla.js` as a module; every failure rejects with a {@link NablaError}.
 */

/** What went wrong, as one stable word. */
export type ErrorCode =
  | 'bad-spec'
  | 'bad-data'
  | 'bad-file'
  | 'no-webgpu'
  | 'device-lost'
  | 'out-of-memory'
  | 'diverged'
  | 'cancelled'
  | 'internal';

export interface NablaError extends Error {
  code: ErrorCode;
  problems: Problem[];
  /** JSON of `{ code, message, problems }`. */
  failure: string;
}

/** One thing that is wrong: where, and what to do. `code` and `args` serve translation. */
export interface Problem {
  layer: string | null;
  field: string | null;
  code: string;
  args: Record<string, string>;
  message: string;
}

/** What obviously mends a problem. */
export interface Repair {
  /** What it does, as a stable word: `insert-flatten`, `set-units`, … */
  id: string;
  /** The same in English, with names and numbers. */
  text: string;
  /** The mended spec, in which the check does not find the problem any more. */
  spec: Spec;
}

/** A problem of a check. */
export interface CheckedProblem extends Problem {
  /** At most three, the best first; empty where nothing is obvious. */
  repairs: Repair[];
}

export type Framework = 'pytorch' | 'keras';
export type Part = 'train' | 'validation' | 'test';
export type Backend = 'cpu' | 'webgpu';

/** What stands for missing cells, from the training part; `drop` leaves their rows out. */
export type Missing = 'drop' | 'mean' | 'median' | 'most_frequent';

/** Plain JSON, versioned: data, layers, training. */
export interface Spec {
  version: number;
  name?: string;
  framework?: Framework;
  seed?: number;
  data: {
    source: { kind: string; [field: string]: unknown };
    split?: { test: number; validation: number; shuffle: boolean };
    scale?: { kind: string; by?: number };
    scale_target?: boolean;
    flatten?: boolean;
    /** What is done about missing cells of a table, by column. Default: the mean of numbers, the most frequent text. */
    missing?: Record<string, Missing>;
  };
  /** `group`: shown as one card; a path, so that `encoder/residual1` lies within `encoder`. */
  layers: { id: string; kind: string; inputs?: string[]; group?: string | null; [field: string]: unknown }[];
  train: {
    loss: { kind: string; [field: string]: unknown };
    optimizer: { kind: string; learning_rate: number; [field: string]: unknown };
    batch_size?: number | null;
    epochs: number;
    shuffle?: boolean;
    schedule?: { kind: string; [field: string]: unknown };
    early_stopping?: { monitor: 'val_loss' | 'val_accuracy' | 'loss'; patience: number; min_delta?: number; restore_best?: boolean } | null;
    checkpoints?: { monitor: 'val_loss' | 'val_accuracy' | 'loss'; best_only?: boolean } | null;
    /** For each class: Keras' `class_weight`, PyTorch's `CrossEntropyLoss(weight)` or `[1, pos_weight]`. */
    class_weight?: number[] | null;
    clip?: { kind: string; max?: number };
    l1?: number;
    l2?: number;
    /** The same bits on every machine: without relaxed SIMD and threads, hence slower. Default: false. */
    strict?: boolean;
  };
}

export interface Code {
  text: string;
  /** A name for the file. */
  file: string;
  /** The same as a Jupyter notebook (JSON). */
  notebook: string;
  /** Lines, counted from 1, and the layers that they belong to. */
  lines: { line: number; layer: string }[];
  /** The text for a display: each line in pieces of ink ('', 'keyword', 'name', 'text', 'number', 'comment') and text. */
  painted: [ink: string, text: string][][];
  /** What the script does otherwise than the page, and why. */
  notes: ImportNote[];
  /** Lines that load `run.weights()`, saved under the name `weights`, into the model; null for the other framework. */
  loader: string | null;
  weights: string;
  /** The ranges of an Optuna study; null for a plain script. */
  study: Study | null;
}

/** What an Optuna study tries. `key`: `learning_rate`, `batch_size`, `optimizer`, `units:<layer>` or `rate:<layer>`. */
export interface Study {
  trials: number;
  /** Trials that do worse than the median end early. */
  prune: boolean;
  knobs: ({ key: string; on: boolean } & (
    | { kind: 'log' | 'float' | 'whole'; low: number; high: number }
    | { kind: 'choice'; choices: string[] }
  ))[];
}

export interface ImportNote {
  /** Counted from 1; null where it concerns the whole. */
  line: number | null;
  message: string;
  /** Of pasted code. */
  code?: string;
  /** Of a spec or a link. */
  layer?: string | null;
  field?: string | null;
}

export interface Hello {
  version: string;
  cpu: { simd: boolean; relaxedSimd: boolean; threads: number };
  /** `software`: it computes on the CPU after all; only who asks for it gets it. */
  webgpu: null | { vendor: string; architecture: string; software: boolean; features: string[] };
}

export interface PresetInfo {
  id: string;
  title: string;
  framework: Framework;
  task: 'regression' | 'classification';
}

export interface LayerReport {
  id: string;
  kind: string;
  /** Of one sample. */
  shape: number[];
  params: number;
  /** Forward pass of one sample; a multiply-add counts as two. */
  flops: number;
  /** Bytes of what the layer computes of one sample, going forward. */
  memory: number;
  /** The same of a batch; 0 where a batch is the whole training part. */
  batch_memory: number;
}

export interface CheckReport {
  ok: boolean;
  errors: CheckedProblem[];
  /** What trains, but hardly as it is meant. */
  hints: CheckedProblem[];
  /** One sample as the first layer gets it; empty when unknown. */
  input: number[];
  layers: LayerReport[];
  params: number;
  flops: number;
  memory: number;
  batch_memory: number;
}

export type TypedArray =
  | Float32Array
  | Float64Array
  | Uint8Array
  | Uint8ClampedArray
  | Int8Array
  | Uint16Array
  | Int16Array
  | Uint32Array
  | Int32Array;
export type Nested = number[] | Nested[];
/** Values with their shape, the first axis counting the samples; or nested arrays. Copied, never taken. */
export type ArrayLike = { data: TypedArray | number[]; shape?: number[] } | TypedArray | Nested;

/** `y`: class indices `[count]`, or target values `[count, targets]`. */
export interface Pair {
  x: ArrayLike;
  y: ArrayLike;
}

export interface LoadOptions {
  /** `auto` (default) times both on this plan and takes the faster one; never a GPU of software. */
  backend?: 'auto' | Backend;
  /** On the CPU, at most; what the machine has when absent. More than one takes an isolated page. */
  threads?: number;
  /** For measurements: this build rather than the best one, if it can run here. */
  build?: 'plain' | 'relaxed' | 'threads';
  /** The spec's own when absent. */
  seed?: number;
  /** safetensors, names and layouts as PyTorch's state_dict or Keras', by the spec's framework. */
  weights?: ArrayBuffer | Uint8Array;
  data?:
    | { train: Pair; validation?: Pair; test?: Pair }
    | { files: (File | Blob | ArrayBuffer | Uint8Array)[]; format?: 'idx' | 'csv' | 'cifar10' | 'jsonl' | 'text_csv' | 'acl_imdb' | 'images' };
}

export interface RunInfo {
  run: number;
  spec: Spec;
  backend: 'auto' | Backend;
  /** Why this backend, as a short code. */
  why: string;
  /** Which of the engine's builds it runs on: `threads` has relaxed SIMD too, `gpu` all that there is. */
  build: 'plain' | 'relaxed' | 'threads' | 'gpu';
  threads: number;
  layers: LayerReport[];
  params: number;
  /** One training step: forward, backward and update. */
  flops: number;
  /** The plan, pretty-printed. */
  plan: string;
  /** Bytes of the plan's memory. */
  memory: number;
  batchSize: number;
  stepsPerEpoch: number;
  /** Columns of a tick's rows. */
  columns: string[];
  data: {
    name: string;
    shape: number[];
    image: [number, number] | null;
    features: string[];
    classes: string[];
    /** Training samples of each class. */
    classCounts: number[];
    targets: string[];
    targetScale: [number, number][];
    ranges: [number, number][];
    train: number;
    validation: number;
    test: number;
    /** Cells of a table that were missing, and what was done about them; `dropped` rows and `empty` columns were left out. */
    missing: { columns: { column: string; cells: number; with: Missing; value: string | null; texts: boolean }[]; dropped: number; empty: string[] } | null;
  };
  /** Where it stands: 0, or the step of the checkpoint. */
  step: number;
  hyper: Record<string, number>;
}

export interface RunEnd {
  step: number;
  epoch: number;
  /** Spent in training since the load, without pauses. */
  seconds: number;
  stopped?: 'early-stopping' | 'cancelled' | 'diverged';
  /** Where it diverged: the step, from 0, and the first layer, where there is one. */
  diverged?: { step: number; layer: string | null; part: 'outputs' | 'gradient' | 'weights' | 'loss' };
  /** The best epoch, from 1, where early stopping watches. */
  best?: number;
}

export interface StepReport {
  step: number;
  loss: number;
  gradNorm: number;
  /** Rows of the data that made up the batch. */
  batch: number[];
}

export interface Evaluation {
  samples: number;
  loss: number;
  accuracy?: number;
  auc?: number;
  /** Of class 1 where there are two, else the mean over the classes. */
  precision?: number;
  recall?: number;
  f1?: number;
  /** Where there are more than five classes. */
  top5?: number;
  /** Where each step has a class. */
  perplexity?: number;
  mse?: number;
  mae?: number;
  r2?: number;
  /** `confusion[truth][predicted]` */
  confusion?: number[][];
}

/** Raw, one entry per step. */
export interface History {
  step: number[];
  loss: number[];
  val: ({ epoch: number; step: number } & Evaluation)[];
  metrics: Record<'accuracy' | 'gradNorm' | 'learningRate' | string, number[]>;
}

export interface Tensor {
  data: Float32Array;
  shape: number[];
}

export interface TensorInfo {
  /** `fc1.weight`, `grad:fc1.weight`, `exp_avg:fc1.weight`, `activation:fc1`, … */
  name: string;
  shape: number[];
  role: 'param' | 'grad' | 'activation' | 'moment' | 'state';
  layer: string;
}

export interface Timing {
  /** One entry per block of steps. */
  msPerStep: number[];
  firstStepMs: number;
  compileMs: number;
}

export interface Events {
  /** At most about 20 a second. `rows`: `[steps, columns]` for the steps from `first` on. */
  tick: {
    first: number;
    steps: number;
    /** The last of them, and its loss. */
    step: number;
    loss: number;
    epoch: number;
    seconds: number;
    samplesPerSecond: number;
    columns: string[];
    rows: Float32Array;
  };
  epoch: { epoch: number; step: number; validation: Evaluation | null };
  fault: NablaError;
  backend: { backend: Backend; why: string };
}

export interface Run {
  readonly info: RunInfo;
  /** Without steps or epochs: until stopped, or until the spec's epochs are done. */
  train(how?: { steps?: number } | { epochs?: number }): Promise<RunEnd>;
  /** Training ends after the step in flight. */
  stop(): void;
  step(): Promise<StepReport>;
  history(): History;
  /**
   * Changes hyper-parameters between steps, without recompiling: `learningRate`, `momentum`,
   * `weightDecay`, `beta1`, `beta2`, `epsilon`, `rho`, `l1`, `l2`, `clip`, and `stepsPerSecond`
   * (0: as fast as possible). Gives all of them as they are now.
   */
  set(values: Record<string, number>): Promise<Record<string, number>>;
  /**
   * Goes on with another backend from the very step where it is; training under way goes on, at first where
   * it is while the other one is prepared. `saved` states come along.
   */
  move(backend: Backend): Promise<RunInfo>;
  evaluate(part?: Part): Promise<Evaluation>;
  /** `data`: raw, as in the data set, unless `scaled`. Class probabilities where the loss is on logits. */
  predict(data: ArrayLike, shape?: number[], options?: { scaled?: boolean }): Promise<Tensor>;
  tensors(): Promise<TensorInfo[]>;
  tensor(name: string): Promise<Tensor>;
  /** Samples as they came: `x` raw, `y` in original units `[count, targets]`, `rows` in the data. */
  samples(
    part?: Part,
    start?: number,
    count?: number,
  ): Promise<{ start: number; count: number; total: number; shape: number[]; x: Tensor; y: Float32Array; rows: Uint32Array }>;
  /** safetensors. */
  weights(): Promise<ArrayBuffer>;
  /** What the network sees is x·mul + add, by feature; targets are (y − mean) / std. Empty where nothing is scaled. */
  scaling(): Promise<{ mul: Float32Array; add: Float32Array; mean: Float32Array; std: Float32Array }>;
  /** Spec, parameters, moments, step, random state and place in the data: resumes exactly. */
  checkpoint(): Promise<ArrayBuffer>;
  /** States kept at the ends of epochs, as `spec.train.checkpoints` asks; `resume` takes each. */
  saved(): Promise<{ name: string; epoch: number; bytes: number }[]>;
  savedFile(name: string): Promise<ArrayBuffer>;
  /**
   * Trains on, in up to ten blocks, each ended by one read: `steps` steps in all (about a second
   * when absent), or more where the clock is too coarse for so few. A step is forward + loss +
   * backward + update.
   */
  time(how?: { steps?: number; warmup?: number }): Promise<Timing>;
  /** Initial weights and step 0 again. */
  reset(how?: { seed?: number }): Promise<RunInfo>;
  /** Returns a function that removes f. */
  on<E extends keyof Events>(type: E, f: (event: Events[E]) => void): () => void;
  dispose(): Promise<void>;
}

export interface BenchOptions {
  /** Ids; all when absent. */
  presets?: string[];
  /** Those that this machine has when absent. */
  backends?: Backend[];
  threads?: number;
  steps?: number;
  warmup?: number;
  onRow?: (row: BenchRow) => void;
}

export interface BenchRow {
  preset: string;
  backend: Backend;
  threads: number;
  /** Median over the blocks. */
  msPerStep: number;
  gflops: number;
}

/** A worker as the page itself uses it; messages as in `src/train/protocol.rs`. */
export interface Trainer {
  /** Why it can be used no more, or null. */
  readonly dead: { code: ErrorCode; message: string; problems: Problem[] } | null;
  /** For the options of a run on it: what there is in a GPU's place. */
  readonly gpu: 'none' | 'software' | null;
  call(body: string | object, buffers?: ArrayBuffer[], files?: File[]): Promise<{ body: string; buffers: ArrayBuffer[] }>;
  on(f: (event: string, buffers: ArrayBuffer[]) => void): () => void;
  terminate(): void;
}

export interface Nabla {
  readonly ready: Promise<Hello>;
  /** A list once `ready` has resolved; before that, a promise of it. */
  presets(): PresetInfo[];
  preset(id: string): Promise<Spec>;
  check(spec: Spec | string): Promise<CheckReport>;
  /** The run that the page shows; always null on the bare page. */
  current(): Run | null;
  load(spec: Spec | string, options?: LoadOptions): Promise<Run>;
  resume(checkpoint: ArrayBuffer | Uint8Array, options?: LoadOptions): Promise<Run>;
  /** A spec as JSON, a link, a script or a Jupyter notebook. */
  /** An ONNX file: of the run's weights, or those that the spec begins with. The graph takes raw samples, `input[batch, …]`, and gives
   * what `run.predict` does, `output`; `logits` besides, where the loss is on them. */
  export(spec: Spec | string, format: 'onnx', options?: { run?: Run }): Promise<ArrayBuffer>;
  export(
    spec: Spec | string,
    format: 'spec' | 'link' | 'pytorch' | 'keras' | 'pytorch-notebook' | 'keras-notebook',
  ): Promise<string>;
  /** The script of a spec, with the lines that belong to layers; the framework is the spec's own unless given. */
  code(spec: Spec | string, framework?: Framework, options?: { language?: string; study?: true | Partial<Study> }): Promise<Code>;
  /** Reads a spec's JSON, a link, or pasted Python for PyTorch or Keras (also a Jupyter notebook), which is never
   * executed. What was not understood has a note on its line, in `language` (`en` or `zh-CN`); lines of a notebook
   * are those of its code cells, with an empty line between. Where no network is found it rejects with an error
   * that has these `notes`. */
  import(text: string, options?: { language?: string }): Promise<{ spec: Spec; notes: ImportNote[] }>;
  /** An ONNX file's network, with its weights as safetensors for `load`. The data and training of `keep` stay where they fit. */
  import(
    file: ArrayBuffer | Uint8Array,
    options?: { language?: string; keep?: Spec },
  ): Promise<{ spec: Spec; notes: ImportNote[]; weights: ArrayBuffer }>;
  bench(options?: BenchOptions): Promise<BenchRow[]>;
  /** Public data sets, and how many bytes of each are kept on this device. */
  datasets(): Promise<{ name: string; title: string; bytes: number; cached: number }[]>;
  /** A set's files: from this device, the site's `data/` folder or a mirror; verified. `load` takes them. */
  dataset(name: string, progress?: (share: number) => void): Promise<File[]>;
  cancelDataset(name: string): Promise<void>;
  /** Deletes a set from this device. */
  forgetDataset(name: string): Promise<void>;
  /** For the page: the worker that it trains on, of the build that suits the spec. */
  connect(spec?: Spec | string, backend?: 'auto' | Backend): Trainer | Promise<Trainer>;
  /** For the page: it trains on this worker no more. */
  leave(trainer: Trainer): void;
  /** For the page: says which run it shows (JSON of its info), or none; `moved`: the one it showed, gone elsewhere. */
  show(trainer: Trainer, info: RunInfo | string | null, moved?: boolean): Run | null;
}

declare global {
  // eslint-disable-next-line no-var
  var nabla: Nabla;
}
declare const nabla: Nabla;
export default nabla;
