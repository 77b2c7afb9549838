// Several runs as one conversation: the list of sessions, and one turn by turn.
import { html } from "../shared/html.js";
import { Frame, Status, styleOf, useAnswer, useTurn } from "./frame.js";
import { Spark } from "./plot.js";
import { address, query } from "./server.js";

export function Sessions() {
  const one = query.get("one") ?? "";
  const { content, wrong } = useAnswer(`/api/sessions${location.search}`, useTurn());
  /** @type {import("./server.js").SessionList} */
  const list = content ?? { rows: [], count: 0, turns: [] };
  return html`<${Frame} title=${one ? `Session ${list.rows[0]?.name ?? one}` : "Sessions"} filtered=${!one}>
    <${Status} wrong=${wrong} content=${content}>${list.count === 0 ? "no run names a session" : one ? "" : `${list.rows.length < list.count ? `the latest ${list.rows.length} of ` : ""}${list.count} sessions`}<//>
    ${list.rows.length > 0 && html`<table><thead><tr><th>session</th><th>last run (UTC)</th><th class="wide">user</th><th class="figure">runs</th><th class="figure">failed</th><th class="wide">seconds of each</th>
      <th class="figure wide">tokens</th><th class="figure">cost</th><th>ended</th></tr></thead><tbody>${list.rows.map((row) => html`<tr>
      <td>${one ? row.name : html`<a href=${address("/sessions", { one: row.id })}>${row.name}</a>`}</td><td class="quiet">${row.last}</td><td class="wide">${row.users.join(", ")}</td>
      <td class="figure"><a href=${`/?${new URLSearchParams({ session: row.id })}`}>${row.runs}</a></td><td class=${row.failed ? "figure bad" : "figure"}>${row.failed}</td>
      <td class="wide">${row.seconds.length > 1 && html`<${Spark} values=${row.seconds} label=${`seconds of each run, from ${Math.min(...row.seconds).toPrecision(3)} to ${Math.max(...row.seconds).toPrecision(3)}`} />`}</td>
      <td class="figure wide">${row.tokens}</td><td class="figure">${row.cost}</td><td class=${styleOf(row.outcome)}>${row.outcome}</td></tr>`)}</tbody></table>`}
    ${list.turns.length > 0 && html`<ol class="turns">${list.turns.map((turn) => html`<li>
      <p class="quiet">${turn.start} <a href=${`/runs/${turn.id}`}>${turn.name}</a> <span class=${styleOf(turn.outcome)}>${turn.outcome}</span> ${turn.took} ${turn.cost} ${turn.feedback}</p>
      ${turn.asked && html`<div class="said user"><b>user</b><pre>${turn.asked}</pre></div>`}
      ${turn.answered && html`<div class="said agent"><b>agent</b><pre>${turn.answered}</pre></div>`}</li>`)}</ol>`}
  <//>`;
}
