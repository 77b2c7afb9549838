// The whole run at a glance, on a canvas: every step, when it ran, what failed; a click leads there.
import { useEffect, useRef } from "preact/hooks";
import { html } from "../shared/html.js";
import { colour, whenColoursChange } from "../shared/theme.js";

/** @type {Record<string, string>} */
const TONES = {
  agent: "--agent", workflow: "--agent", llm: "--model", embedding: "--model", tool: "--tool", retriever: "--tool",
  plan: "--choice", guardrail: "--choice", decision: "--choice",
};

/** @param {HTMLCanvasElement} canvas @param {import("./run.js").Run} run @param {number[]} rows those of the tree
 * @param {boolean} whole whether what is folded is drawn as well, where it is folded */
function draw(canvas, run, rows, whole) {
  const context = canvas.getContext("2d");
  if (!context || !canvas.clientWidth) return;
  canvas.width = canvas.clientWidth * devicePixelRatio;
  canvas.height = canvas.clientHeight * devicePixelRatio;
  const each = canvas.height / rows.length;
  const scale = canvas.width / (run.seconds || 1);
  /** Where steps are, by colour. @type {Map<string, [import("./run.js").Row, number][]>} */
  const tones = new Map();
  for (let place = 0; place < rows.length; place++) {
    const end = whole ? rows[place + 1] ?? run.rows.length : rows[place] + 1;
    for (let number = rows[place]; number < end; number++) {
      const row = run.rows[number];
      const tone = row.outcome !== "ok" && row.outcome !== "running" ? "--bad" : TONES[row.kind] ?? "--other";
      const own = tones.get(tone);
      if (own) own.push([row, place]);
      else tones.set(tone, [[row, place]]);
    }
  }
  const failed = tones.get("--bad") ?? [];
  tones.delete("--bad");
  for (const [tone, steps] of [...tones, /** @type {const} */ (["--bad", failed])]) {
    context.fillStyle = colour(tone);
    const least = tone === "--bad" ? 3 * devicePixelRatio : 1; // what failed is drawn last, and never too small to be seen
    for (const [row, place] of steps) {
      const width = Math.max(least, Math.min(canvas.width, row.seconds * scale));
      context.fillRect(Math.min(canvas.width - width, row.start * scale), place * each, width, Math.max(least, each));
    }
  }
}

/** @param {{run: import("./run.js").Run, rows: number[], whole: boolean, top: number, height: number, onSelect: (row: number) => void}} props
 * top and height are of what is in sight, as shares of all */
export function Glance({ run, rows, whole, top, height, onSelect }) {
  const canvas = useRef(/** @type {HTMLCanvasElement | null} */ (null));
  useEffect(() => {
    const element = canvas.current;
    if (!element) return;
    const look = () => draw(element, run, rows, whole);
    const watch = new ResizeObserver(look);
    watch.observe(element);
    const stop = whenColoursChange(look);
    return () => { watch.disconnect(); stop(); };
  }, [run, rows]);
  /** @param {PointerEvent} event */
  const lead = (event) => {
    if (!event.buttons || !canvas.current) return;
    const box = canvas.current.getBoundingClientRect();
    const share = (event.clientY - box.top) / box.height;
    onSelect(rows[Math.max(0, Math.min(rows.length - 1, Math.floor(share * rows.length)))]);
  };
  return html`<div class="glance" aria-hidden="true" onPointerDown=${lead} onPointerMove=${lead}><canvas ref=${canvas}></canvas>
    <i style=${{ top: `${top * 100}%`, height: `${height * 100}%` }}></i></div>`;
}
