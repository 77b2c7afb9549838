// The tree and the waterfall in one: of the rows only those in the window are in the document.
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { html } from "../shared/html.js";
import { visible } from "../shared/visible.js";
import { Glance } from "./glance.js";
import { overview } from "./run.js";

export const HEIGHT = 26;
const SPARE = 10;
const MOST_PRINTED = 2_000;
const FEW = 40;

/** @param {number} seconds */
export function time(seconds) {
  if (seconds === 0) return "0";
  if (Math.abs(seconds) < 1) return `${+(seconds * 1000).toPrecision(3)} ms`;
  return seconds < 90 ? `${+seconds.toPrecision(3)} s` : `${Math.floor(seconds / 60)}m ${Math.round(seconds % 60)}s`;
}

/** @param {import("./run.js").Run} run @param {import("./run.js").Row} row */
function bar(run, row) {
  const whole = run.seconds || 1;
  const left = Math.min(100, Math.max(0, (row.start / whole) * 100));
  return { left: `${left}%`, width: `${Math.min(100 - left, (row.seconds / whole) * 100)}%` };
}

/** @param {{run: import("./run.js").Run, rows: number[], selected: number, closed: Set<number>, hits: Set<number> | null,
 *   looping: Set<number>, printing: boolean, onSelect: (row: number) => void, onToggle: (row: number) => void,
 *   onKey: (event: KeyboardEvent) => void}} props */
export function Tree({ run, rows, selected, closed, hits, looping, printing, onSelect, onToggle, onKey }) {
  const box = useRef(/** @type {HTMLDivElement | null} */ (null));
  const [view, setView] = useState({ top: 0, height: 800 });
  const look = () => box.current && setView({ top: box.current.scrollTop, height: box.current.clientHeight || 800 });
  useEffect(() => {
    look();
    const watch = new ResizeObserver(look);
    if (box.current) watch.observe(box.current);
    return () => watch.disconnect();
  }, []);
  const place = rows.indexOf(selected);
  useLayoutEffect(() => {
    const element = box.current;
    if (!element || place < 0) return;
    const top = place * HEIGHT;
    if (top < element.scrollTop) element.scrollTop = top;
    else if (top + HEIGHT > element.scrollTop + element.clientHeight) element.scrollTop = top + HEIGHT - element.clientHeight;
    look();
  }, [selected, place]);

  const top = Math.min(view.top, Math.max(0, rows.length * HEIGHT - view.height)); // there may be fewer rows than before
  let first = Math.max(0, Math.floor(top / HEIGHT) - SPARE);
  let last = Math.min(rows.length, Math.ceil((top + view.height) / HEIGHT) + SPARE);
  if (printing) [first, last] = [0, Math.min(rows.length, MOST_PRINTED)];
  const places = [];
  for (let n = first; n < last; n++) places.push(n);
  if (place >= 0 && (place < first || place >= last)) places.push(place); // what a screen reader is told is selected

  const all = Math.max(1, rows.length * HEIGHT);
  return html`<div class="grid">
    ${rows.length > FEW && html`<${Glance} run=${run} rows=${rows} whole=${!hits} top=${top / all} height=${Math.min(1, view.height / all)} onSelect=${onSelect} />`}
    <div class="row head" aria-hidden="true">
      <span class="name">step</span>
      <span class="lane axis">${[0, 0.25, 0.5, 0.75].map((at) => html`<i style=${{ left: `${at * 100}%` }}>${time(run.seconds * at)}</i>`)}</span>
      <span class="figure">took</span><span class="figure">tokens</span><span class="figure">cost</span>
    </div>
    <div class="rows" ref=${box} role="tree" tabindex="0" aria-label="Steps of the run" id="tree"
      aria-activedescendant=${place >= 0 ? `row-${selected}` : undefined} onScroll=${look} onKeyDown=${onKey}>
      <div class="all" role="presentation" style=${{ height: `${(printing ? last : rows.length) * HEIGHT}px` }}>
        ${places.map((n) => {
          const number = rows[n];
          const row = run.rows[number];
          const bad = row.outcome !== "ok" && row.outcome !== "running";
          const folds = row.size > 1 && !hits;
          const classes = ["row", row.kind, number === selected && "selected", bad && "bad", hits && !hits.has(number) && "dim"];
          return html`<div key=${number} id=${`row-${number}`} class=${classes.filter(Boolean).join(" ")} role="treeitem"
            aria-level=${row.depth + 1} aria-selected=${number === selected} aria-expanded=${folds ? !closed.has(number) : undefined}
            style=${{ top: `${n * HEIGHT}px` }} onClick=${() => onSelect(number)} onDblClick=${() => folds && onToggle(number)}>
            <span class="name" style=${{ paddingLeft: `${Math.min(row.depth, 24) * 14 + 4}px` }}>
              <b class="fold" aria-hidden="true" onClick=${(/** @type {Event} */ event) => folds && (event.stopPropagation(), onToggle(number))}>${folds ? (closed.has(number) ? "▸" : "▾") : ""}</b>
              <b class="mark" aria-hidden="true">${overview.marks[row.kind]}</b>
              <span class="words" title=${visible(row.name)}>${visible(row.name)}</span>
              ${row.outcome !== "ok" && html`<em class=${`outcome ${row.outcome}`}>${row.outcome}</em>`}
              ${looping.has(number) && html`<em class="note" title="part of a loop">↻</em>`}
              ${row.skewed && html`<em class="note">clock skew</em>`}
              ${closed.has(number) && folds && html`<em class="note">${(row.size - 1).toLocaleString("en")} below</em>`}
            </span>
            <span class="lane"><i class="bar" style=${bar(run, row)}></i></span>
            <span class="figure">${row.took}</span><span class="figure">${row.tokens}</span><span class="figure">${row.cost}</span>
          </div>`;
        })}
      </div>
    </div>
    ${printing && rows.length > last && html`<p class="quiet">${(rows.length - last).toLocaleString("en")} more steps are not printed.</p>`}
  </div>`;
}
