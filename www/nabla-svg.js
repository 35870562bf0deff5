// A canvas context that writes down what is drawn on it, as SVG. It knows what the charts of the page
// use and nothing more; the page loads it when a chart is saved as SVG.

const escape = (text) => String(text).replace(/[&<>"]/g, (c) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[c]);
const round = (v) => Math.round(v * 100) / 100;
const ANCHOR = { left: 'start', start: 'start', right: 'end', end: 'end', center: 'middle' };
// How far below the given place the line of the text lies, in heights of the font.
const DROP = { top: 0.8, middle: 0.35, bottom: -0.2, alphabetic: 0 };

class NablaSvg {
  #parts = [];
  #path = '';
  #saved = [];
  #open = 0;
  #clips = 0;
  #ruler = document.createElement('canvas').getContext('2d');
  #size;
  #family;
  #ground;

  strokeStyle = '#000';
  fillStyle = '#000';
  lineWidth = 1;
  globalAlpha = 1;
  lineJoin = 'miter';
  lineCap = 'butt';
  textAlign = 'start';
  textBaseline = 'alphabetic';
  #dash = [];
  #font = 11;

  /** A sheet of `width × height` pixels; text in `family`. */
  constructor(width, height, ground, family) {
    this.#size = [width, height];
    this.#ground = ground;
    this.#family = family;
    this.font = `11px ${family}`;
  }

  get font() {
    return `${this.#font}px ${this.#family}`;
  }
  set font(value) {
    this.#font = parseFloat(value) || 11;
    this.#ruler.font = value;
  }

  /** What follows is drawn in a box of its own. */
  begin(x, y, width, height) {
    this.#parts.push(`<g transform="translate(${round(x)} ${round(y)})">`);
    this.#saved = [];
    this.#open = 0;
    this.box = [width, height];
  }
  end() {
    this.#parts.push('</g>'.repeat(this.#open + 1));
    this.#open = 0;
  }

  save() {
    this.#saved.push(this.#open);
  }
  restore() {
    const before = this.#saved.pop() ?? 0;
    this.#parts.push('</g>'.repeat(this.#open - before));
    this.#open = before;
  }
  clip() {
    const id = `clip${this.#clips++}`;
    this.#parts.push(`<clipPath id="${id}"><path d="${this.#path}"/></clipPath><g clip-path="url(#${id})">`);
    this.#open += 1;
  }

  beginPath() {
    this.#path = '';
  }
  moveTo(x, y) {
    this.#path += `M${round(x)} ${round(y)}`;
  }
  lineTo(x, y) {
    this.#path += `L${round(x)} ${round(y)}`;
  }
  closePath() {
    this.#path += 'Z';
  }
  rect(x, y, w, h) {
    this.#path += `M${round(x)} ${round(y)}h${round(w)}v${round(h)}h${round(-w)}Z`;
  }
  /** Whole circles only: that is all that the charts draw. */
  arc(x, y, r) {
    this.#path += `M${round(x - r)} ${round(y)}a${r} ${r} 0 1 0 ${2 * r} 0a${r} ${r} 0 1 0 ${-2 * r} 0Z`;
  }
  setLineDash(dash) {
    this.#dash = [...dash];
  }

  #alpha() {
    return this.globalAlpha < 1 ? ` opacity="${round(this.globalAlpha)}"` : '';
  }
  stroke() {
    if (!this.#path) return;
    const dash = this.#dash.length ? ` stroke-dasharray="${this.#dash.join(' ')}"` : '';
    this.#parts.push(
      `<path d="${this.#path}" fill="none" stroke="${escape(this.strokeStyle)}" stroke-width="${this.lineWidth}" stroke-linejoin="${this.lineJoin}" stroke-linecap="${this.lineCap}"${dash}${this.#alpha()}/>`,
    );
  }
  fill() {
    if (this.#path) this.#parts.push(`<path d="${this.#path}" fill="${escape(this.fillStyle)}"${this.#alpha()}/>`);
  }
  fillRect(x, y, w, h) {
    this.#parts.push(`<rect x="${round(x)}" y="${round(y)}" width="${round(w)}" height="${round(h)}" fill="${escape(this.fillStyle)}"${this.#alpha()}/>`);
  }
  fillText(text, x, y) {
    const drop = (DROP[this.textBaseline] ?? 0) * this.#font;
    this.#parts.push(
      `<text x="${round(x)}" y="${round(y + drop)}" text-anchor="${ANCHOR[this.textAlign] ?? 'start'}" font-size="${this.#font}" fill="${escape(this.fillStyle)}">${escape(text)}</text>`,
    );
  }
  measureText(text) {
    return this.#ruler.measureText(text);
  }

  /** The file. */
  text() {
    const [w, h] = this.#size;
    return `<svg xmlns="http://www.w3.org/2000/svg" width="${w}" height="${h}" viewBox="0 0 ${w} ${h}" font-family="${escape(this.#family)}"><rect width="100%" height="100%" fill="${escape(this.#ground)}"/>${this.#parts.join('')}</svg>\n`;
  }
}

window.NablaSvg = NablaSvg;
