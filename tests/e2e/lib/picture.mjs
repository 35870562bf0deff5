// Pictures of canvases that the tests keep, compared with a tolerance.
//
// Machines differ in their fonts, and in how they smooth an edge. So texts are left out (`noText`), sizes
// are given by the test, and two pictures are the same when, averaged over blocks of four by four
// pixels, few blocks differ by more than an eye would see. `NABLA_BLESS=1` writes the pictures anew;
// what differs is written to tests/e2e/shots.
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './chrome.mjs';

const KEPT = join(ROOT, 'tests/e2e/pictures');
const SHOTS = join(ROOT, 'tests/e2e/shots');
/** Blocks that may differ, and by how much a block may: of 255, in any channel. */
const BLOCKS = 0.03;
const COLOUR = 28;

/** Before the page loads: canvases draw no text, and reckon with the same width for it everywhere. */
export const noText = () => {
  const own = globalThis.CanvasRenderingContext2D.prototype;
  own.fillText = () => {};
  own.measureText = (text) => ({ width: 6 * text.length });
};

/** Whether a canvas shows what was kept under this name. The canvas is drawn on the page's ground. */
export async function same(page, canvas, name) {
  const url = await canvas.evaluate((e) => {
    const copy = document.createElement('canvas');
    [copy.width, copy.height] = [e.width, e.height];
    const ctx = copy.getContext('2d');
    ctx.fillStyle = getComputedStyle(document.documentElement).getPropertyValue('--paper').trim() || '#fff';
    ctx.fillRect(0, 0, e.width, e.height);
    ctx.drawImage(e, 0, 0);
    return copy.toDataURL('image/png');
  });
  const bytes = Buffer.from(url.split(',')[1], 'base64');
  const file = join(KEPT, `${name}.png`);
  if (process.env.NABLA_BLESS === '1') {
    mkdirSync(KEPT, { recursive: true });
    writeFileSync(file, bytes);
    return;
  }
  assert.ok(existsSync(file), `there is no picture ${name} to compare with: NABLA_BLESS=1 keeps what is there now`);
  const kept = `data:image/png;base64,${readFileSync(file).toString('base64')}`;
  const found = await page.evaluate(compare, { urls: [kept, url], colour: COLOUR });
  if (found.size || found.share > BLOCKS) {
    mkdirSync(SHOTS, { recursive: true });
    writeFileSync(join(SHOTS, `differs-${name}.png`), bytes);
  }
  assert.equal(found.size, null, `${name} has another size`);
  assert.ok(found.share <= BLOCKS, `${name}: ${(100 * found.share).toFixed(1)} % of it differ; see tests/e2e/shots/differs-${name}.png`);
}

/** In the page: the share of blocks that differ, or the two sizes if they do. */
async function compare({ urls, colour }) {
  const BLOCK = 4;
  const images = await Promise.all(
    urls.map(async (url) => {
      const image = new Image();
      image.src = url;
      await image.decode();
      return image;
    }),
  );
  const [a, b] = images.map((i) => [i.naturalWidth, i.naturalHeight]);
  if (`${a}` !== `${b}`) return { size: `${a} and ${b}`, share: 1 };
  const [w, h] = [Math.ceil(a[0] / BLOCK), Math.ceil(a[1] / BLOCK)];
  const [x, y] = images.map((image) => {
    const all = document.createElement('canvas');
    [all.width, all.height] = a;
    const ctx = all.getContext('2d');
    ctx.drawImage(image, 0, 0);
    const { data } = ctx.getImageData(0, 0, ...a);
    // Means of blocks, by hand: how a browser scales a picture is its own affair.
    const sums = new Float64Array(w * h * 4);
    for (let row = 0; row < a[1]; row++) {
      for (let column = 0; column < a[0]; column++) {
        const to = (Math.floor(row / BLOCK) * w + Math.floor(column / BLOCK)) * 4;
        const from = (row * a[0] + column) * 4;
        for (let c = 0; c < 3; c++) sums[to + c] += data[from + c];
        sums[to + 3] += 1;
      }
    }
    return sums;
  });
  let differ = 0;
  for (let i = 0; i < w * h; i++) {
    const far = [0, 1, 2].some((c) => Math.abs(x[i * 4 + c] / x[i * 4 + 3] - y[i * 4 + c] / y[i * 4 + 3]) > colour);
    if (far) differ += 1;
  }
  return { size: null, share: differ / (w * h) };
}
