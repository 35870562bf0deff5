// The table of a run, as Markdown.

const figure = (n) => (Number.isFinite(n) ? (n >= 100 ? n.toFixed(0) : n.toPrecision(3)) : '–');
const table = (head, rows) =>
  [head, head.map((_, i) => (i ? '--:' : '---')), ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n');
const mean = (numbers) => (numbers.length ? Math.exp(numbers.reduce((a, n) => a + Math.log(n), 0) / numbers.length) : NaN);

/** `workloads` gives the titles. */
export function report(result, workloads) {
  const { peak, rows, peers } = result;
  const top = peak.relaxed?.median ?? peak.plain?.median;
  const names = Object.keys(rows);
  const peerNames = Object.keys(peers);
  const rate = (row) => row.flops / row.ms / 1e6;
  const ratio = (name, peer) => peers[peer][name]?.ms / rows[name].ms;
  const lines = [
    `Chrome ${result.chrome}, ${result.cpu}, ${result.backend === 'webgpu' ? `WebGPU (${JSON.stringify(result.engine?.webgpu)})` : `${result.threads} thread${result.threads > 1 ? 's' : ''}`}, ${result.date.slice(0, 10)}${result.quick ? ', short run' : ''}${result.realtime ? ', real-time priority' : ''}.`,
    `Register peak of a core: ${figure(peak.plain?.median)} GFLOP/s plain, ${figure(peak.relaxed?.median)} relaxed.`,
    '',
    table(
      ['', 'ms per step', 'min … max', 'first step, ms', 'GFLOP/s', 'share of peak'],
      names.map((name) => {
        const row = rows[name];
        const title = workloads[name] ? `${name} ${workloads[name].title}` : name;
        if (row.error) return [title, `failed: ${row.error}`, '', '', '', ''];
        const share = (100 * rate(row)) / (top * (result.threads || 1));
        return [title, figure(row.ms), `${figure(row.min)} … ${figure(row.max)}`, figure(row.firstStepMs), figure(rate(row)), `${figure(share)} %`];
      }),
    ),
  ];
  if (peerNames.length) {
    const cell = (name, peer) => {
      const got = peers[peer][name];
      if (!got) return '';
      return got.error ? 'failed' : `${figure(got.ms)} (${figure(ratio(name, peer))}×)`;
    };
    const means = peerNames.map((peer) => mean(names.map((name) => ratio(name, peer)).filter(Number.isFinite)));
    lines.push(
      '',
      'Peers, ms per step; in brackets how many times longer they take than Nabla in the same run.',
      '',
      table(
        ['', 'Nabla', ...peerNames],
        [...names.map((name) => [name, figure(rows[name].ms), ...peerNames.map((peer) => cell(name, peer))]), ['geometric mean', '', ...means.map((m) => `${figure(m)}×`)]],
      ),
    );
  }
  return `${lines.join('\n')}\n`;
}
