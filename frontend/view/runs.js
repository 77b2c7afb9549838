// The list of runs: filtered, live, with what came before, to be opened, compared and judged.
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import { html } from "../shared/html.js";
import { stream } from "../shared/stream.js";
import { FeedbackDialog } from "./feedback.js";
import { Frame, isTyping, Status, styleOf, useAnswer } from "./frame.js";
import { Spark } from "./plot.js";
import { pause } from "./server.js";

const BEFORE = 20;
const MOST_BUCKETS = 40;
const LINES = 200;
const ROWS = 100;

/** @param {number[]} values */
const median = (values) => [...values].sort((a, b) => a - b)[Math.floor((values.length - 1) / 2)];

/** What the runs of the list come to over its time. @param {{rows: import("./server.js").Run[], cost: string}} props */
function Sums({ rows, cost }) {
  const first = rows.reduce((least, run) => Math.min(least, run.at), Infinity);
  const last = rows.reduce((most, run) => Math.max(most, run.at), -Infinity);
  if (!(last > first)) return null;
  /** @type {import("./server.js").Run[][]} */
  const buckets = Array.from({ length: Math.min(MOST_BUCKETS, Math.max(4, Math.round(rows.length / 3))) }, () => []);
  for (const run of rows) buckets[Math.min(buckets.length - 1, Math.floor(((run.at - first) / (last - first)) * buckets.length))].push(run);
  const bad = rows.filter((run) => styleOf(run.outcome) === "bad").length;
  /** @type {[string, string, (number | null)[], boolean][]} */
  const lines = [
    ["runs", String(rows.length), buckets.map((runs) => runs.length), false],
    ["not ended well", String(bad), buckets.map((runs) => runs.filter((run) => styleOf(run.outcome) === "bad").length), bad > 0],
    ["seconds (median)", median(rows.map((run) => run.seconds)).toPrecision(3), buckets.map((runs) => (runs.length ? median(runs.map((run) => run.seconds)) : null)), false],
    ["cost", cost || "–", buckets.map((runs) => runs.reduce((sum, run) => sum + run.amount, 0)), false],
  ];
  const span = `from ${new Date(first * 1000).toISOString().slice(0, 16)} to ${new Date(last * 1000).toISOString().slice(0, 16)} UTC`;
  return html`<dl class="sums">${lines.map(([name, figure, values, isBad]) =>
    html`<div><dt>${name}</dt><dd>${figure} <${Spark} values=${values} bad=${isBad} label=${`${name} ${span}`} /></dd></div>`)}</dl>`;
}

/** By run the seconds of those of its name before it and its own, oldest first. @param {import("./server.js").Run[]} rows */
function histories(rows) {
  /** @type {Map<string, number[]>} */
  const names = new Map();
  /** @type {Map<string, number[]>} */
  const runs = new Map();
  for (const run of [...rows].reverse()) {
    const own = names.get(run.name) ?? [];
    names.set(run.name, own);
    own.push(run.seconds);
    runs.set(run.id, own.slice(-BEFORE));
  }
  return runs;
}

/** Steps as they start and end. @param {{onEvent: () => void}} props */
function Live({ onEvent }) {
  const box = useRef(/** @type {HTMLPreElement | null} */ (null));
  const [lines, setLines] = useState(/** @type {{text: string, kind: string, outcome: string, place: number}[]} */ ([]));
  useEffect(() => {
    let place = 0;
    return stream(`/api/live${location.search}`, (text) => {
      const line = { ...JSON.parse(text), place: place++ };
      setLines((before) => [...before.slice(1 - LINES), line]);
      onEvent();
    }, onEvent);
  }, []);
  useEffect(() => box.current?.scrollTo(0, box.current.scrollHeight), [lines]);
  return html`<pre id="live" ref=${box} tabindex=${lines.length ? 0 : undefined} role="log" aria-label="What happens now">${lines.map((line) =>
    html`<span key=${line.place} class=${line.kind === "started" ? "running" : line.outcome === "ok" ? "" : "bad"}>${line.text}${"\n"}</span>`)}</pre>`;
}

export function Runs() {
  const [turn, setTurn] = useState(0);
  const { content, wrong } = useAnswer(`/api/runs${location.search}`, turn);
  const [chosen, setChosen] = useState(/** @type {string[]} */ ([]));
  const [length, setLength] = useState(ROWS);
  const [judged, setJudged] = useState(/** @type {import("./server.js").Run | null} */ (null));
  const table = useRef(/** @type {HTMLTableElement | null} */ (null));
  const waiting = useRef(false);
  /** @type {import("./server.js").Run[]} */
  const rows = content?.rows ?? [];
  const before = useMemo(() => histories(rows), [content]);

  /** @param {string} id */
  const choose = (id) => setChosen((ids) => (ids.includes(id) ? ids.filter((each) => each !== id) : [...ids, id].slice(-2)));
  const compare = () => chosen.length === 2 && location.assign(`/compare?${new URLSearchParams({ a: chosen[0], b: chosen[1] })}`);
  const onEvent = () => {
    if (waiting.current) return;
    waiting.current = true;
    setTimeout(() => { waiting.current = false; setTurn((turn) => turn + 1); }, pause());
  };
  // Before the next key: an effect after the next frame would know of no mark that was set just now.
  useLayoutEffect(() => {
    /** @param {KeyboardEvent} event */
    const onKey = (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event) || judged) return;
      /** @type {HTMLAnchorElement[]} */
      const links = [...(table.current?.querySelectorAll("a.run") ?? [])].map((link) => /** @type {HTMLAnchorElement} */ (link));
      const place = links.findIndex((link) => link.closest("tr")?.contains(document.activeElement));
      /** @type {Record<string, () => void>} */
      const acts = {
        ArrowDown: () => links[Math.min(links.length - 1, place + 1)]?.focus(),
        ArrowUp: () => links[Math.max(0, place - 1)]?.focus(),
        x: () => place >= 0 && choose(rows[place].id),
        f: () => place >= 0 && setJudged(rows[place]),
        c: compare,
      };
      const act = acts[event.key];
      if (!act) return;
      event.preventDefault();
      act();
    };
    addEventListener("keydown", onKey);
    return () => removeEventListener("keydown", onKey);
  });
  /** @param {boolean} kept */
  const onClose = (kept) => {
    setJudged(null);
    if (kept) setTurn(turn + 1);
  };
  const most = Math.max(0, ...rows.map((run) => run.amount));
  return html`<${Frame} title="Runs" keys="↑ ↓ move · Enter opens · x marks · c compares two · f feedback">
    <${Live} onEvent=${onEvent} />
    <${Sums} rows=${rows} cost=${content?.cost ?? ""} />
    <div class="bar"><${Status} wrong=${wrong} content=${content}>${content && [`${rows.length < content.count ? `the latest ${rows.length} of ` : ""}${content.count} of ${content.of} runs`, ...content.remarks].join(" · ")}<//>
      <button type="button" disabled=${chosen.length !== 2} onClick=${compare}>Compare two</button></div>
    <table ref=${table}><thead><tr><th><span class="hidden">compare</span></th><th>when (UTC)</th><th>name</th><th>outcome</th><th class="figure">took</th><th class="wide">and before</th><th class="wide">session</th>
      <th class="wide">user</th><th class="wide">models</th><th class="figure wide">tokens</th><th class="figure">cost</th><th><span class="wide">feedback</span></th></tr></thead>
      <tbody>${rows.slice(0, length).map((run) => {
        const own = before.get(run.id) ?? [];
        return html`<tr key=${run.id}>
          <td><input type="checkbox" aria-label=${`compare ${run.name} of ${run.start}`} checked=${chosen.includes(run.id)} onChange=${() => choose(run.id)} /></td>
          <td class="quiet">${run.start}</td>
          <td><a class="run" href=${`/runs/${run.id}`}>${run.name || run.id}</a></td>
          <td class=${styleOf(run.outcome)}>${run.outcome}${run.errors ? ` (${run.errors} failed)` : ""}</td>
          <td class="figure">${run.took}</td>
          <td class="wide">${own.length > 1 && html`<${Spark} values=${own} label=${`took ${run.took}; the ${own.length - 1} of this name before: ${Math.min(...own.slice(0, -1)).toPrecision(3)} to ${Math.max(...own.slice(0, -1)).toPrecision(3)} s`} />`}</td>
          <td class="wide">${run.session && html`<a href=${`/sessions?${new URLSearchParams({ session: run.session, one: run.session })}`}>${run.session}</a>`}</td>
          <td class="wide">${run.user}</td><td class="wide">${run.models.join(", ")}</td>
          <td class="figure wide">${run.tokens}</td>
          <td class="figure">${run.cost}${most > 0 && run.amount > 0 && html`<i class="share" style=${{ width: `${(run.amount / most) * 100}%` }}></i>`}</td>
          <td>${run.feedback && html`<span class="quiet">${run.feedback} </span>`}<button type="button" aria-label=${`feedback on ${run.name} of ${run.start}`} title="feedback" onClick=${() => setJudged(run)}>±</button></td></tr>`;
      })}</tbody></table>
    ${rows.length > length && html`<p><button type="button" onClick=${() => setLength(length + ROWS)}>${rows.length - length} more</button></p>`}
    ${judged && html`<${FeedbackDialog} run=${judged} onClose=${onClose} />`}
  <//>`;
}
