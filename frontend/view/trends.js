// Runs by period: a plot for each figure, what changed last and why, and the figures themselves.
import { html } from "../shared/html.js";
import { Frame, Status, useAnswer, useTurn } from "./frame.js";
import { Plot } from "./plot.js";
import { query, words } from "./server.js";
import { Choice } from "./stats.js";

const MOST_LINES = 6;

export function Trends() {
  const by = query.get("by") || "day";
  const split = query.get("split") ?? "";
  const { content, wrong } = useAnswer(`/api/trends${location.search}`, useTurn());
  /** @type {import("./server.js").Trends} */
  const trends = content ?? { by, split, periods: [], changes: [] };
  const periods = [...new Set(trends.periods.map((row) => row.period))].sort();
  const names = [...new Set(trends.periods.flatMap((row) => Object.keys(row.values)))];
  /** @type {Map<string, number>} */
  const runs = new Map();
  for (const row of trends.periods) runs.set(row.of, (runs.get(row.of) ?? 0) + (row.values.runs ?? 0));
  const shown = [...runs].sort((a, b) => b[1] - a[1]).slice(0, MOST_LINES).map(([of]) => of);
  const table = new Map(trends.periods.map((row) => [`${row.of}\n${row.period}`, row]));
  /** @param {string} name */
  const series = (name) => shown.map((of) => {
    const rows = periods.map((period) => table.get(`${of}\n${period}`));
    return { name: of, values: rows.map((row) => row?.values[name] ?? null), texts: rows.map((row) => row?.texts[name] ?? "") };
  });
  return html`<${Frame} title="Trends" own=${{ by, split }}>
    <div class="bar"><${Choice} name="by" value=${by} options=${words.periods} path="/trends" own=${{ split }} />
      <${Choice} name="split" value=${split} options=${words.splits} path="/trends" own=${{ by }} none="everything" /></div>
    <${Status} wrong=${wrong} content=${content}>${periods.length === 0 ? "no run" : periods.length === 1 ? "one period: nothing to compare" : `${periods.length} periods (UTC)`}<//>
    ${runs.size > shown.length && html`<p class="quiet">${runs.size - shown.length} more are in the table</p>`}
    ${periods.length > 0 && html`<div class="plots">${names.filter((name) => trends.periods.some((row) => row.values[name] !== null)).map((name) =>
      html`<${Plot} title=${name} by=${by} periods=${periods} series=${series(name)} />`)}</div>`}
    ${trends.changes.length > 0 && html`<h2>What changed last</h2><ul class="changes">${trends.changes.map((change) => html`<li>
      <b class=${change.sure ? (change.worse ? "bad" : "good") : ""}>${change.lines[0]}</b>${change.lines.length > 1 && html`<ul>${change.lines.slice(1).map((line) => html`<li>${line}</li>`)}</ul>`}</li>`)}</ul>`}
    ${trends.periods.length > 0 && html`<h2>Figures</h2><table><thead><tr>${split && html`<th>${split}</th>`}<th>${by}</th>${names.map((name, place) => html`<th class=${place > 1 ? "figure wide" : "figure"}>${name}</th>`)}</tr></thead>
      <tbody>${trends.periods.map((row) => html`<tr>${split && html`<td>${row.of}</td>`}<td>${row.period}</td>${names.map((name, place) => html`<td class=${place > 1 ? "figure wide" : "figure"}>${row.texts[name] ?? ""}${name === "cost per run" && row.unknown > 0 ? ` (${row.unknown} unknown)` : ""}</td>`)}</tr>`)}</tbody></table>`}
  <//>`;
}
