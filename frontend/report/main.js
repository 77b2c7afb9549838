// The page: head, what went wrong, the tree with its waterfall, decisions, and what was recorded of the chosen span.
import { render } from "preact";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { html } from "../shared/html.js";
import { ThemeButton } from "../shared/theme.js";
import { visible } from "../shared/visible.js";
import { AgentLanes, lanesOf } from "./agents.js";
import { DecisionCard } from "./decisions.js";
import { Detail } from "./detail.js";
import { runMarkdown } from "./markdown.js";
import { closedAtFirst, follow, matches, openRows, overview, recordText, reveal, withAncestors } from "./run.js";
import { Tree } from "./tree.js";

let printing = false;
const FAILED = 5;
const DECISIONS = 500;

/** @param {string} text */
async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const area = document.createElement("textarea");
    area.value = text;
    document.body.append(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    return done;
  }
}

/** @param {import("./run.js").Run} run */
const firstOf = (run) => Math.max(0, run.rows.findIndex((row) => row.outcome === "error"));

function Page() {
  const [number, setNumber] = useState(0);
  return html`<${RunPage} key=${number} number=${number} onRun=${setNumber} />`;
}

/** @param {{number: number, onRun: (number: number) => void}} props */
function RunPage({ number, onRun }) {
  const run = overview.runs[number];
  const [selected, setSelected] = useState(() => firstOf(run));
  const [closed, setClosed] = useState(() => closedAtFirst(run));
  const [view, setView] = useState("steps");
  const [query, setQuery] = useState("");
  const [failedOnly, setFailedOnly] = useState(false);
  const [notice, setNotice] = useState("");
  const search = useRef(/** @type {HTMLInputElement | null} */ (null));
  const side = useRef(/** @type {HTMLElement | null} */ (null));

  const failed = useMemo(() => run.rows.flatMap((row, place) => (row.outcome === "ok" || row.outcome === "running" ? [] : [place])), [run]);
  const agents = useMemo(() => lanesOf(run).size, [run]);
  const looping = useMemo(() => new Set(run.loops.flatMap((loop) => loop.rows)), [run]);
  const hits = useMemo(() => {
    if (!query.trim() && !failedOnly) return null;
    const found = query.trim() ? matches(number, query) : new Set(failed);
    return failedOnly ? new Set(failed.filter((place) => found.has(place))) : found;
  }, [run, query, failedOnly]);
  const rows = useMemo(() => (hits ? withAncestors(run, hits) : openRows(run, closed)), [run, hits, closed]);

  /** @param {number} place */
  const select = (place) => {
    if (!rows.includes(place)) {
      const open = new Set(closed);
      reveal(run, open, place);
      setClosed(open);
      setQuery("");
      setFailedOnly(false);
    }
    setSelected(place);
    setView("steps");
  };
  /** @param {number} place */
  const toggle = (place) => {
    const next = new Set(closed);
    if (!next.delete(place)) next.add(place);
    setClosed(next);
  };
  /** @param {string} text @param {string} what */
  const onCopy = async (text, what) => setNotice((await copy(text)) ? `${what} copied` : "The browser does not allow copying");
  const copyRun = () => {
    const records = run.rows.map((_, place) => recordText(number, place)).filter((text) => text !== null);
    onCopy(records.join("\n"), "JSON lines");
  };

  useEffect(() => follow((moved) => {
    setSelected(moved);
    setClosed((before) => new Set([...before].map(moved)));
  }), []);
  useEffect(() => {
    if (!notice) return;
    const timer = setTimeout(() => setNotice(""), 3000);
    return () => clearTimeout(timer);
  }, [notice]);
  const focusTree = () => document.getElementById("tree")?.focus();
  useEffect(focusTree, [view]);
  useEffect(() => {
    /** @param {KeyboardEvent} event */
    const onKey = (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      const typing = event.target instanceof HTMLInputElement || event.target instanceof HTMLSelectElement;
      if (event.key === "Escape") {
        if (event.target === search.current) setQuery("");
        focusTree();
      } else if (event.key === "/" && !typing) {
        event.preventDefault();
        search.current?.focus();
      } else if (event.key === "e" && !typing && failed.length) {
        select(failed.find((place) => place > selected) ?? failed[0]);
      }
    };
    addEventListener("keydown", onKey);
    return () => removeEventListener("keydown", onKey);
  });

  /** @param {KeyboardEvent} event */
  const onTreeKey = (event) => {
    const place = rows.indexOf(selected);
    const row = run.rows[selected];
    const page = 20;
    /** @type {Record<string, () => void>} */
    const moves = {
      ArrowDown: () => setSelected(rows[Math.min(rows.length - 1, place + 1)]),
      ArrowUp: () => setSelected(rows[Math.max(0, place - 1)]),
      PageDown: () => setSelected(rows[Math.min(rows.length - 1, place + page)]),
      PageUp: () => setSelected(rows[Math.max(0, place - page)]),
      Home: () => setSelected(rows[0]),
      End: () => setSelected(rows[rows.length - 1]),
      ArrowRight: () => {
        if (row.size > 1 && !hits && closed.has(selected)) toggle(selected);
        else if (row.size > 1 && rows.includes(selected + 1)) setSelected(selected + 1);
      },
      ArrowLeft: () => {
        if (row.size > 1 && !hits && !closed.has(selected)) toggle(selected);
        else if (row.parent >= 0) setSelected(row.parent);
      },
      Enter: () => side.current?.focus(),
    };
    const move = moves[event.key];
    if (!move || event.ctrlKey || event.metaKey || event.altKey || !rows.length) return;
    event.preventDefault();
    move();
  };

  const cached = run.usage.cache_read ? `, ${run.usage.cache_read.toLocaleString("en")} from a cache` : "";
  const sources = Object.keys(run.usage.by_source).join(" and ");
  const unknown = Object.entries(run.money.unknown).map(([why, times]) => `${times} × ${why}`).join("; ");
  return html`<header class="top">
      <div><h1>${visible(run.name)} <em class=${`outcome ${run.outcome}`}>${run.outcome}</em></h1>
        <p class="quiet">${run.start} · trace ${run.id}${run.session ? ` · session ${visible(run.session)}` : ""}${run.models.length ? ` · ${visible(run.models.join(", "))}` : ""}
          ${overview.live && " · followed as it goes on"}
          ${run.url && /^https?:/.test(run.url) && html` · <a href=${run.url} rel="noreferrer">in the backend</a>`}</p></div>
      <dl class="sums">
        <div><dt>took</dt><dd>${run.took}</dd></div>
        <div><dt>steps</dt><dd>${run.rows.length.toLocaleString("en")}</dd></div>
        <div><dt>model calls</dt><dd>${run.calls.toLocaleString("en")}</dd></div>
        <div><dt>tools</dt><dd>${run.tools.toLocaleString("en")}</dd></div>
        ${run.tokens && html`<div title=${sources + cached}><dt>tokens${run.usage.unknown ? `, ${run.usage.unknown} calls unknown` : ""}</dt><dd>${run.tokens}</dd></div>`}
        ${run.cost && html`<div title=${unknown}><dt>cost${unknown ? ", in part unknown" : ""}</dt><dd>${run.cost}</dd></div>`}
      </dl>
    </header>
    ${failed.length > 0 && html`<section class="failed" aria-label="What went wrong">
      ${failed.slice(0, FAILED).map((place) => html`<button onClick=${() => select(place)}><em class=${`outcome ${run.rows[place].outcome}`}>${run.rows[place].outcome}</em> <b>${visible(run.rows[place].name)}</b> <span>${visible(run.rows[place].error ?? "")}</span></button>`)}
      ${failed.length > FAILED && html`<button onClick=${() => setFailedOnly(true)}>${(failed.length - FAILED).toLocaleString("en")} more that did not end well</button>`}
    </section>`}
    <nav class="tools" aria-label="Views">
      ${overview.home && html`<a href=${overview.home}>All runs</a>`}
      ${overview.runs.length > 1 && html`<select aria-label="Run" value=${number} onChange=${(/** @type {any} */ event) => onRun(+event.target.value)}>
        ${overview.runs.map((other, place) => html`<option value=${place}>${visible(other.name)} · ${other.outcome} · ${other.start}</option>`)}</select>`}
      <div role="tablist" aria-label="View">
        ${[["steps", `Steps`], ["decisions", `Decisions (${run.decisions.length})`], ...(agents ? [["agents", `Agents (${agents})`]] : [])].map(([name, label]) =>
          html`<button role="tab" aria-selected=${view === name} onClick=${() => setView(name)}>${label}</button>`)}
      </div>
      <input type="search" ref=${search} placeholder="Search steps and what was said  ( / )" aria-label="Search" value=${query}
        onInput=${(/** @type {any} */ event) => { setView("steps"); setQuery(event.target.value); }}
        onKeyDown=${(/** @type {KeyboardEvent} */ event) => { if (event.key === "Enter" && hits?.size) { setSelected(Math.min(...hits)); focusTree(); } }} />
      ${hits && html`<span class="quiet" role="status">${hits.size.toLocaleString("en")} of ${run.rows.length.toLocaleString("en")}</span>`}
      ${failed.length > 0 && html`<label><input type="checkbox" checked=${failedOnly} onChange=${() => { setFailedOnly(!failedOnly); setView("steps"); }} /> failed only</label>`}
      <span class="gap"></span>
      <span class="quiet" role="status" aria-live="polite">${notice}</span>
      <button onClick=${copyRun}>Copy JSON</button>
      <button onClick=${() => onCopy(runMarkdown(number), "Markdown")}>Copy Markdown</button>
      <${ThemeButton} />
    </nav>
    <main class=${view}>
      ${view === "steps"
        ? html`<${Tree} run=${run} rows=${rows} selected=${selected} closed=${closed} hits=${hits} looping=${looping} printing=${printing} onSelect=${setSelected} onToggle=${toggle} onKey=${onTreeKey} />
          <aside tabindex="-1" ref=${side} aria-label="The chosen step"><${Detail} run=${number} place=${selected} onSelect=${select} onCopy=${onCopy} /></aside>`
        : view === "agents"
        ? html`<${AgentLanes} run=${run} onSelect=${select} />`
        : html`<div class="lane-of-decisions">
          ${run.decisions.length === 0 && html`<p class="quiet">No decision was recorded in this run.</p>`}
          ${run.decisions.slice(0, DECISIONS).map((decision) => html`<${DecisionCard} decision=${decision} run=${run} onSelect=${select} />`)}
          ${run.decisions.length > DECISIONS && html`<p class="quiet">${run.decisions.length - DECISIONS} more are not shown here.</p>`}
        </div>`}
    </main>
    <footer class="foot">
      ${[...run.loops.map((loop) => `loop: ${loop.text}`), ...run.remarks].map((remark) => html`<p>${visible(remark)}</p>`)}
      <p class="keys">↑ ↓ move · ← → fold · Enter reads the step · / search · e next failure · Esc back · agentops ${overview.version}</p>
    </footer>`;
}

const root = /** @type {HTMLElement} */ (document.getElementById("page"));
const draw = () => render(html`<${Page} printing=${printing} />`, root);
draw();
addEventListener("beforeprint", () => { printing = true; draw(); });
addEventListener("afterprint", () => { printing = false; draw(); });
