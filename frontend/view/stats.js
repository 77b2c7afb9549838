// What each model, tool, agent and so on did, took and cost, as bars and as a table.
import { useState } from "preact/hooks";
import { html } from "../shared/html.js";
import { Frame, Status, useAnswer, useTurn } from "./frame.js";
import { address, query, words } from "./server.js";

/** @type {[import("./server.js").Measure, string][]} */
const MEASURES = [["cost", "cost"], ["tokens", "tokens"], ["calls", "calls"], ["errors", "failed"], ["p95", "p95"]];

/** A choice that is a word of the address. @param {{name: string, value: string, options: string[], path: string,
 *   own: Record<string, string>, none?: string}} props */
export const Choice = ({ name, value, options, path, own, none }) => html`<label>${name} <select aria-label=${name} value=${value}
  onChange=${(/** @type {any} */ event) => location.assign(address(path, { ...own, [name]: event.target.value }))}>
  ${none !== undefined && html`<option value="">${none}</option>`}
  ${[...options, ...(value && !options.includes(value) ? [value] : [])].map((option) => html`<option value=${option}>${option}</option>`)}</select></label>`;

export function Stats() {
  const by = query.get("by") || "model";
  const { content, wrong } = useAnswer(`/api/stats${location.search}`, useTurn());
  const [measure, setMeasure] = useState(/** @type {import("./server.js").Measure} */ ("cost"));
  /** @type {import("./server.js").Stats} */
  const stats = content ?? { by, rows: [], count: 0, total: null, unknown: [] };
  const most = Math.max(0, ...stats.rows.map((row) => row.measures[measure]));
  /** @param {import("./server.js").StatsRow} row */
  const cells = (row) => html`<td class="figure">${row.calls.toLocaleString("en")}</td><td class=${row.errors ? "figure bad" : "figure"}>${row.errors || ""}</td><td class="figure wide">${row.p50}</td><td class="figure">${row.p95}</td>
    <td class="figure wide">${row.tokens}</td><td class="figure">${row.cost}</td><td class="figure wide">${row.wasted}</td>`;
  return html`<${Frame} title="Stats" own=${{ by }}>
    <div class="bar"><${Choice} name="by" value=${by} options=${words.by} path="/stats" own=${{}} />
      <label>bars show <select value=${measure} onChange=${(/** @type {any} */ event) => setMeasure(event.target.value)}>${MEASURES.map(([name, text]) => html`<option value=${name}>${text}</option>`)}</select></label></div>
    <${Status} wrong=${wrong} content=${content}>${[
      stats.rows.length === 0 ? `these runs hold nothing to group by ${by}` : stats.rows.length < stats.count ? `the first ${stats.rows.length} of ${stats.count}` : "",
      stats.unknown.length ? `cost is in part unknown: ${stats.unknown.join("; ")}` : "",
    ].filter(Boolean).join(" · ")}<//>
    ${stats.rows.length > 0 && html`<table class="stats"><thead><tr><th>${by}</th><th class="bars"><span class="hidden">${measure}</span></th><th class="figure">calls</th><th class="figure">failed</th><th class="figure wide">p50</th><th class="figure">p95</th>
      <th class="figure wide">tokens</th><th class="figure">cost</th><th class="figure wide">wasted</th></tr></thead><tbody>
      ${stats.rows.map((row) => html`<tr><td>${Object.keys(row.choice).length ? html`<a href=${address("/", row.choice)}>${row.key}</a>` : row.key}</td>
        <td class="bars">${row.measures[measure] > 0 && html`<i class="share" style=${{ width: `${(row.measures[measure] / most) * 100}%` }}></i>`}</td>${cells(row)}</tr>`)}
      ${stats.rows.length > 1 && html`<tr class="total"><td>total</td><td class="bars"></td>${cells(stats.total)}</tr>`}</tbody></table>`}
  <//>`;
}
