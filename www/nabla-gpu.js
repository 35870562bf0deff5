// What `nabla.js` loads when a GPU may be used: a look at the adapter, and moving a run to the build
// of the engine that has the GPU backend.

/** An adapter that does not answer in this time counts as none. */
const PATIENCE_MS = 5000;
/** Adapters that compute on the CPU after all. */
const SOFTWARE = /swiftshader|llvmpipe|lavapipe|basic render|software/i;

/** `nabla.ready`'s `webgpu`. */
export async function adapter() {
  const late = new Promise((resolve) => setTimeout(resolve, PATIENCE_MS, null));
  const asked = navigator.gpu.requestAdapter({ powerPreference: 'high-performance' }).catch(() => null);
  const found = await Promise.race([asked, late]);
  if (!found) return null;
  const { vendor = '', architecture = '', device = '', description = '', isFallbackAdapter } = found.info ?? {};
  const software = Boolean(isFallbackAdapter ?? found.isFallbackAdapter) || SOFTWARE.test(`${vendor} ${architecture} ${device} ${description}`);
  return { vendor, architecture, software, features: [...found.features].sort() };
}

/**
 * Takes a run from its worker (`call`) to one with a GPU backend; gives that and the run's info there. It trains on
 * while it is prepared there; then its newest state follows, and the states that it kept.
 */
export async function move(call, run, info, { data, threads }, { take, giveBack, pack }) {
  const buffers = [(await call('checkpoint')).buffers[0]];
  const { options, files } = pack({ data, threads, backend: 'webgpu' }, null, buffers);
  const trainer = take('gpu');
  try {
    await trainer.call({ type: 'resume', run, options }, buffers, files);
    await call('stop');
    const state = (await call('checkpoint')).buffers;
    const there = JSON.parse((await trainer.call({ type: 'restore', run }, state)).body);
    const kept = await call('savedFiles');
    if (kept.value.length) await trainer.call({ type: 'keep', run, states: kept.value }, kept.buffers);
    const { stepsPerSecond } = info().hyper;
    if (stepsPerSecond > 0) await trainer.call({ type: 'set', run, values: { stepsPerSecond } });
    return [trainer, there];
  } catch (e) {
    giveBack(trainer, run);
    throw e;
  }
}
