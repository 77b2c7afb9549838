// Two runs side by side, aligned at what both did; where they part first is in sight.
import { useEffect, useState } from "preact/hooks";
import { html } from "../shared/html.js";
import { Frame, isTyping, Status, useAnswer, useTurn } from "./frame.js";

/** @param {{step: import("./server.js").Step | null}} props */
function Cell({ step }) {
  if (!step) return html`<td class="quiet">–</td>`;
  const facts = [step.outcome === "ok" ? "" : step.outcome, step.took, step.tokens, step.cost].filter(Boolean).join("  ");
  return html`<td><div style=${{ paddingLeft: `${Math.min(step.depth, 12) * 12}px` }}>${step.name} <span class=${step.outcome === "ok" ? "quiet" : "bad"}>${facts}</span>
    ${step.chosen && html`<div>chose ${step.chosen}</div>`}${step.error && html`<div class="bad">${step.error}</div>`}</div></td>`;
}

export function Comparison() {
  const [goesOn, setGoesOn] = useState(false);
  const { content, wrong } = useAnswer(`/api/compare${location.search}`, useTurn(goesOn));
  /** @type {import("./server.js").Alignment | null} */
  const both = content;
  const start = both?.first ?? null;
  useEffect(() => document.querySelector("tr.first")?.scrollIntoView({ block: "center" }), [start]);
  useEffect(() => {
    setGoesOn(both !== null && [both.a, both.b].some((run) => run.outcome === "running"));
    /** @param {KeyboardEvent} event */
    const onKey = (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event) || !["n", "p"].includes(event.key)) return;
      /** @type {HTMLElement[]} */
      const starts = [...document.querySelectorAll("tr.parts")].map((row) => /** @type {HTMLElement} */ (row));
      const place = starts.indexOf(/** @type {HTMLElement} */ (document.activeElement));
      const next = event.key === "n" ? starts[Math.min(starts.length - 1, place + 1)] : starts[Math.max(0, place - 1)];
      next?.focus();
      next?.scrollIntoView({ block: "center" });
    };
    addEventListener("keydown", onKey);
    return () => removeEventListener("keydown", onKey);
  }, [content]);
  /** @param {import("./server.js").Side} run */
  const head = (run) => html`<th><a href=${`/runs/${run.id}`}>${run.name}</a> ${[run.outcome, run.took, run.tokens, run.cost].join("  ")}</th>`;
  return html`<${Frame} title="Two runs" filtered=${false} keys="n next difference · p the one before">
    <${Status} wrong=${wrong} content=${content}>${both && (both.first === null ? "Both runs did the same." : `They part at step ${both.first + 1}.`)}${both && both.left_out > 0 ? ` ${both.left_out} steps are left out.` : ""}<//>
    ${both && html`<table class="both"><thead><tr><th class="number"><span class="hidden">step</span></th>${head(both.a)}${head(both.b)}</tr></thead><tbody>
      ${both.rows.map((row, number) => {
        const starts = !row.same && (number === 0 || both.rows[number - 1].same);
        const classes = [row.same ? "" : "differs", starts ? "parts" : "", number === both.first ? "first" : ""].filter(Boolean).join(" ");
        return html`<tr class=${classes || undefined} tabindex=${starts ? -1 : undefined}><td class="number quiet">${number + 1}</td><${Cell} step=${row.a} /><${Cell} step=${row.b} /></tr>`;
      })}</tbody></table>`}
  <//>`;
}
