// What was said in a model call, as a chat: a tool call beside its result.
import { html } from "../shared/html.js";
import { visible } from "../shared/visible.js";
import { overview, parsed, record } from "./run.js";
import { Text } from "./text.js";

/** @param {any} value @returns {any[]} */
const list = (value) => (Array.isArray(value) ? value : value === undefined || value === null ? [] : [value]);

/** @param {any} message */
const partsOf = (message) =>
  message && typeof message === "object" ? list(message.parts ?? message.content) : [message];

/** @param {any} part */
const isResult = (part) => part && typeof part === "object" && part.type === "tool_call_response";

/** @param {{left: string, right: string, arguments: any, result: any, missing: string}} props */
export function Beside({ left, right, arguments: args, result, missing }) {
  const nothing = html`<p class="quiet">not recorded</p>`;
  return html`<div class="beside">
    <div><h3 class="label">${left}</h3>${args === undefined || args === null ? nothing : html`<${Text} value=${args} />`}</div>
    <div><h3 class="label">${right}</h3>${result === undefined ? html`<p class="quiet">${missing}</p>` : html`<${Text} value=${result} />`}</div>
  </div>`;
}

/** The result of a call, where a tool's span has it. @param {number} run @param {string} id */
function resultOf(run, id) {
  const place = overview.runs[run].rows.findIndex((row) => row.call === id);
  return place < 0 ? undefined : (record(run, place)?.attributes?.["gen_ai.tool.call.result"] ?? undefined);
}

/** @param {{run: number, attributes: Record<string, any>}} props */
export function Messages({ run, attributes }) {
  const system = list(parsed(attributes["gen_ai.system_instructions"]));
  const input = list(parsed(attributes["gen_ai.input.messages"]));
  const output = list(parsed(attributes["gen_ai.output.messages"]));
  if (!system.length && !input.length && !output.length) return null;
  /** @type {Map<string, any>} */
  const results = new Map();
  const calls = new Set();
  for (const message of [...input, ...output]) {
    for (const part of partsOf(message)) {
      if (isResult(part) && part.id) results.set(part.id, part.response ?? part.result ?? null);
      if (part?.type === "tool_call" && part.id) calls.add(part.id);
    }
  }
  const said = [
    ...(system.length ? [{ role: "system", parts: system, now: false }] : []),
    ...input.map((m) => ({ role: m?.role ?? "message", parts: partsOf(m), now: false })),
    ...output.map((m) => ({ role: m?.role ?? "assistant", parts: partsOf(m), now: true })),
  ];
  return html`<section aria-label="Messages"><h3>Messages</h3>
    ${said.map(({ role, parts, now }) => {
      const rest = parts.filter((part) => !(isResult(part) && calls.has(part.id)));
      return rest.length > 0 && html`<article class=${`message ${["user", "assistant", "system", "tool"].includes(role) ? role : "other"}`}>
        <h4>${visible(role)}${now && html` <em class="note">reply</em>`}</h4>
        ${rest.map((part) => html`<${Part} run=${run} part=${part} results=${results} />`)}
      </article>`;
    })}
  </section>`;
}

/** @param {{run: number, part: any, results: Map<string, any>}} props */
function Part({ run, part, results }) {
  if (!part || typeof part !== "object") return html`<${Text} plain value=${part} />`;
  if (part.type === "text") return html`<${Text} plain value=${part.content ?? part.text} />`;
  if (part.type === "reasoning") {
    return html`<details><summary>reasoning</summary><${Text} plain value=${part.content} /></details>`;
  }
  if (part.type === "tool_call") {
    const result = part.id === undefined ? undefined : results.has(part.id) ? results.get(part.id) : resultOf(run, part.id);
    return html`<${Beside} left=${visible(`calls ${part.name}`)} right="result" arguments=${part.arguments} result=${result} missing="no result recorded" />`;
  }
  if (isResult(part)) return html`<h4>result</h4><${Text} value=${part.response ?? part.result} />`;
  return html`<${Text} value=${part} />`;
}
