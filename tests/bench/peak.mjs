// What one core's vector registers can do: accumulators that are multiplied and added to, in a
// module of a few hundred bytes that is written here. Runs in the page, sent there as text.

/** GFLOP/s (median and best of 9 rounds) of multiply-and-add, or of the relaxed fused one; null where it does not exist. */
export function measurePeak({ relaxed }) {
  const ROUNDS = 4;
  const leb = (n) => (n < 128 ? [n] : [(n & 127) | 128, ...leb(n >>> 7)]);
  const section = (id, body) => [id, ...leb(body.length), ...body];
  const simd = (op) => [0xfd, ...leb(op)];
  const f32 = (x) => [0x43, ...new Uint8Array(new Float32Array([x]).buffer)];
  const get = (i) => [0x20, i];
  const set = (i) => [0x21, i];
  // locals: 0 the count, 1 and 2 the factors, then the accumulators
  const splat = (x, to) => [...f32(x), ...simd(0x13), ...set(to)];
  const one = (i) =>
    relaxed
      ? [...get(i), ...get(1), ...get(2), ...simd(0x105), ...set(i)]
      : [...get(i), ...get(1), ...simd(0xe6), ...get(2), ...simd(0xe4), ...set(i)];
  const compile = (count) => {
    const accumulators = Array.from({ length: count }, (_, i) => i + 3);
    const code = [
      ...splat(0.999, 1),
      ...splat(0.001, 2),
      ...accumulators.flatMap((i) => splat(i * 0.01, i)),
      ...[0x03, 0x40], // loop
      ...Array.from({ length: ROUNDS }, () => accumulators.flatMap(one)).flat(),
      ...[...get(0), 0x41, 1, 0x6b, 0x22, 0, 0x0d, 0], // count down
      0x0b,
      ...accumulators.flatMap((i, n) => [...get(i), ...(n ? simd(0xe4) : [])]),
      ...[...simd(0x1f), 0], // lane 0
      0x0b,
    ];
    const body = [1, 2 + count, 0x7b, ...code];
    const module = new Uint8Array([
      ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
      ...section(1, [1, 0x60, 1, 0x7f, 1, 0x7d]),
      ...section(3, [1, 0]),
      ...section(7, [1, 1, 0x66, 0, 0]),
      ...section(10, [1, ...leb(body.length), ...body]),
    ]);
    if (!WebAssembly.validate(module)) return null;
    return new WebAssembly.Instance(new WebAssembly.Module(module)).exports.f;
  };
  // As many chains as hide the latency, and as few as stay in registers.
  const measure = (count) => {
    const f = compile(count);
    if (!f) return null;
    const loops = 200_000;
    const flops = loops * ROUNDS * count * 8;
    const warm = performance.now();
    while (performance.now() - warm < 300) f(loops);
    const rates = Array.from({ length: 9 }, () => {
      const begin = performance.now();
      for (let i = 0; i < 4; i++) f(loops);
      return (4 * flops) / (performance.now() - begin) / 1e6;
    }).sort((a, b) => a - b);
    return { median: rates[4], best: rates[8] };
  };
  return [8, 10, 12].map(measure).reduce((a, b) => (b && b.median > (a?.median ?? 0) ? b : a), null);
}
