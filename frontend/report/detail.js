// All that was recorded of one span.
import { html } from "../shared/html.js";
import { visible } from "../shared/visible.js";
import { DecisionCard } from "./decisions.js";
import { spanMarkdown } from "./markdown.js";
import { Beside, Messages } from "./messages.js";
import { overview, ownWords, parsed, record, recordText, shown } from "./run.js";
import { Text } from "./text.js";

const CHAT = new Set(["gen_ai.system_instructions", "gen_ai.input.messages", "gen_ai.output.messages"]);
const PAIRS = [
  ["gen_ai.tool.call.arguments", "gen_ai.tool.call.result", "arguments", "result"],
  ["gen_ai.retrieval.query.text", "gen_ai.retrieval.documents", "query", "documents"],
  ["agentops.input", "agentops.output", "input", "output"],
];

/** @param {Record<string, any>} attributes @param {import("./run.js").Row} row */
function facts(attributes, row) {
  const tokens = Object.entries(attributes).filter(([name, value]) => name.includes(".usage.") && typeof value === "number");
  const source = attributes["agentops.usage.source"];
  const price = [attributes["agentops.cost.source"], attributes["agentops.cost.version"]].filter(Boolean).join(" ");
  const unknown = Object.entries(row.unknown ?? {}).map(([why, times]) => (times > 1 ? `${times} × ${why}` : why)).join("; ");
  return [
    ["took", row.took],
    ["model", attributes["gen_ai.response.model"] ?? attributes["gen_ai.request.model"]],
    ["provider", attributes["gen_ai.provider.name"]],
    ["agent", attributes["gen_ai.agent.name"]],
    ["tokens", [row.tokens, tokens.map(([name, value]) => `${name.replace(/^.*\.usage\./, "").replace(/_tokens$/, "").replace(/[._]/g, " ")} ${value.toLocaleString("en")}`).join(", ")].filter(Boolean).join(": ")],
    ["tokens from", source ?? (tokens.length ? "reported by the provider" : "")],
    ["cost", row.cost],
    ["price from", price + (attributes["agentops.cost.estimated"] ? " (an estimate)" : "")],
    ["unknown", unknown],
    ["finished", shown(attributes["gen_ai.response.finish_reasons"] && parsed(attributes["gen_ai.response.finish_reasons"]))],
    ["prompt", attributes["agentops.prompt.fingerprint"]],
  ].filter(([, value]) => value !== undefined && value !== null && value !== "");
}

/** @param {{run: number, place: number, onSelect: (row: number) => void, onCopy: (text: string, what: string) => void}} props */
export function Detail({ run, place, onSelect, onCopy }) {
  const whole = overview.runs[run];
  const row = whole.rows[place];
  const span = record(run, place);
  const attributes = span?.attributes ?? {};
  const attempts = parsed(attributes["agentops.attempts"]);
  const decisions = whole.decisions.filter((decision) => decision.row === place);
  const told = new Set([...CHAT, ...PAIRS.flatMap(([a, b]) => [a, b]), "agentops.attempts"]);
  const rest = Object.entries(attributes).filter(([name]) => !told.has(name));
  const below = row.parent >= 0 ? whole.rows[row.parent] : null;
  return html`<div class="detail" key=${`${run}-${place}`}>
    <header>
      <h2><b class=${`mark ${row.kind}`} aria-hidden="true">${overview.marks[row.kind]}</b> ${visible(row.name)} <em class=${`outcome ${row.outcome}`}>${row.outcome}</em></h2>
      <div class="buttons">
        ${span && html`<button onClick=${() => onCopy(recordText(run, place) ?? "", "JSON")}>Copy JSON</button>`}
        <button onClick=${() => onCopy(spanMarkdown(run, place), "Markdown")}>Copy Markdown</button>
      </div>
    </header>
    ${below && html`<p class="quiet">in <button class="link" onClick=${() => onSelect(row.parent)}>${visible(below.name)}</button></p>`}
    ${row.error && html`<p class="wrong" role="alert">${visible(row.error)}</p>`}
    <dl>${facts(attributes, row).map(([name, value]) => html`<dt>${name}</dt><dd>${visible(String(value))}</dd>`)}</dl>
    ${!span && html`<p class="quiet">The record of this span is not in this page: it would be too large.</p>`}
    ${decisions.length > 0 && html`<section aria-label="Decisions"><h3>Decided here</h3>${decisions.map((decision) => html`<${DecisionCard} decision=${decision} run=${whole} />`)}</section>`}
    ${PAIRS.map(([left, right, a, b]) => (left in attributes || right in attributes) &&
      html`<${Beside} left=${a} right=${b} arguments=${attributes[left]} result=${attributes[right]} missing=${row.outcome === "ok" ? "not recorded" : `none: ${row.outcome}`} />`)}
    <${Messages} run=${run} attributes=${ownWords(attributes, row)} />
    ${Array.isArray(attempts) && attempts.length > 0 && html`<section><h3>Attempts</h3><ol>${attempts.map((attempt) => html`<li><${Text} value=${attempt} /></li>`)}</ol></section>`}
    ${span?.events?.length > 0 && html`<section><h3>Events</h3>${span.events.map((/** @type {any} */ event) =>
      html`<details open=${event.name === "exception"}><summary>${visible(String(event.name))}</summary>
        ${Object.entries(event.attributes ?? {}).map(([name, value]) => html`<h4>${visible(name)}</h4><${Text} value=${value} />`)}</details>`)}</section>`}
    ${rest.length > 0 && html`<details><summary>${rest.length === 1 ? "1 attribute" : `${rest.length} attributes`}</summary><table><tbody>${rest.map(([name, value]) =>
      html`<tr><th scope="row">${visible(name)}</th><td><${Text} value=${value} /></td></tr>`)}</tbody></table></details>`}
    ${span && html`<details><summary>ids, times, resource</summary><${Text} value=${{ ...span, attributes: undefined, events: undefined }} /></details>`}
  </div>`;
}
