// The decisions of a run as a lane: what the options were, what was chosen, why, and by whom.
import { html } from "../shared/html.js";
import { visible } from "../shared/visible.js";
import { Text } from "./text.js";
import { time } from "./tree.js";

/** @param {any} score */
const share = (score) => (typeof score === "number" && score >= 0 && score <= 1 ? score : null);

/** @param {{decision: import("./run.js").Decision, run: import("./run.js").Run, onSelect?: (row: number) => void}} props */
export function DecisionCard({ decision, run, onSelect }) {
  const options = [...new Set([...decision.options, ...decision.chosen])];
  const facts = [
    decision.by_name ?? decision.by, decision.model, decision.policy && `policy ${decision.policy}`,
    decision.confidence !== undefined && `confidence ${Math.round(decision.confidence * 100)} %`,
    decision.waited && `waited ${decision.waited}`, decision.times && `${decision.times} times`,
    decision.forced && "forced", decision.unlisted && "not among the options",
    decision.fingerprint && `prompt ${decision.fingerprint}`,
  ];
  return html`<article class="decision">
    <header><span class="at">${time(decision.at)}</span><b>${visible(decision.name)}</b>
      <span class="chip">${decision.kind}</span>${facts.filter(Boolean).map((fact) => html`<span class="chip">${visible(String(fact))}</span>`)}</header>
    ${options.length > 0 && html`<ul class="options">${options.slice(0, 60).map((option) => {
      const chosen = decision.chosen.includes(option);
      const score = decision.scores?.[option];
      const rejected = decision.rejected?.[option];
      return html`<li class=${chosen ? "chosen" : ""} title=${visible(decision.descriptions?.[option] ?? "")}>
        <span>${chosen ? "✓ " : ""}${visible(option)}${chosen && html`<span class="hidden"> (chosen)</span>`}</span>
        ${score !== undefined && html`<span class="score">${share(score) === null ? visible(String(score)) : `${Math.round(score * 1000) / 10} %`}
          ${share(score) !== null && html`<i style=${{ width: `${score * 100}%` }}></i>`}</span>`}
        ${rejected !== undefined && html`<span class="quiet">${visible(String(rejected))}</span>`}
      </li>`;
    })}${options.length > 60 && html`<li>${options.length - 60} more</li>`}</ul>`}
    ${decision.chosen.length === 0 && html`<p class="quiet">nothing was chosen</p>`}
    <p>${visible(decision.sentence)}</p>
    ${decision.evidence !== undefined && html`<details><summary>evidence</summary><${Text} value=${decision.evidence} /></details>`}
    ${decision.inputs !== undefined && html`<details><summary>inputs</summary><${Text} value=${decision.inputs} /></details>`}
    ${onSelect && html`<footer><button class="link" onClick=${() => onSelect(decision.row)}>${visible(run.rows[decision.row].name)}</button>
      ${decision.followed_by.slice(0, 12).map((row) => html`<button class="link" onClick=${() => onSelect(row)}>→ ${visible(run.rows[row].name)}</button>`)}</footer>`}
  </article>`;
}
