// The agents of a run as lanes: when each of them ran, and where one handed over to another.
import { html } from "../shared/html.js";
import { visible } from "../shared/visible.js";
import { time } from "./tree.js";

const MOST = 2_000;

/** What an agent is called: its span's name without the operation. @param {string} name */
const called = (name) => name.replace(/^invoke_(agent|workflow) (?=\S)/, "");

/** By agent the rows in which it ran, in the order of their first. @param {import("./run.js").Run} run */
export function lanesOf(run) {
  /** @type {Map<string, number[]>} */
  const lanes = new Map();
  run.rows.forEach((row, place) => {
    if (row.kind !== "agent") return;
    const name = called(row.name);
    const lane = lanes.get(name);
    if (lane) lane.push(place);
    else lanes.set(name, [place]);
  });
  return lanes;
}

/** @param {{run: import("./run.js").Run, onSelect: (row: number) => void}} props */
export function AgentLanes({ run, onSelect }) {
  const lanes = lanesOf(run);
  const handoffs = run.decisions.filter((decision) => decision.kind === "handoff");
  const whole = run.seconds || 1;
  /** @param {number} seconds */
  const at = (seconds) => Math.min(100, Math.max(0, (seconds / whole) * 100));
  /** @param {import("./run.js").Decision} handoff */
  const words = (handoff) => visible(`${handoff.by_name ?? "an agent"} → ${handoff.chosen.join(", ")}${handoff.reason ? `: ${handoff.reason}` : ""}`);
  return html`<div class="lanes">
    ${[...lanes].map(([name, places]) => html`<div class="lane-row">
      <span class="lane-name" title=${visible(name)}>${visible(name)}</span>
      <div class="lane">
        ${places.slice(0, MOST).map((place) => {
          const row = run.rows[place];
          const told = `${visible(name)}, ${row.outcome}, from ${time(row.start)}, ${row.took}`;
          return html`<button class=${`stretch ${row.outcome === "ok" ? "" : "bad"}`} title=${told} aria-label=${told}
            style=${{ left: `${at(row.start)}%`, width: `${Math.min(100 - at(row.start), at(row.seconds))}%` }} onClick=${() => onSelect(place)}></button>`;
        })}
        ${handoffs.filter((handoff) => handoff.chosen.includes(name)).slice(0, MOST).map((handoff) =>
          html`<i class="arrival" title=${words(handoff)} style=${{ left: `${at(handoff.at)}%` }}>↳</i>`)}
      </div>
    </div>`)}
    ${handoffs.length > 0 && html`<h3>Handoffs</h3><ol>${handoffs.slice(0, MOST).map((handoff) =>
      html`<li><span class="at">${time(handoff.at)}</span> <button class="link" onClick=${() => onSelect(handoff.row)}>${words(handoff)}</button></li>`)}</ol>`}
  </div>`;
}
