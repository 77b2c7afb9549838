// A span or a run as Markdown, for a ticket or a model. Fences are longer than any in what they hold.
import { overview, ownWords, parsed, record, shown } from "./run.js";

/** @param {any} value */
function fenced(value) {
  const text = shown(parsed(value));
  const longest = Math.max(2, ...(text.match(/`+/g) ?? []).map((run) => run.length));
  const fence = "`".repeat(longest + 1);
  return `${fence}\n${text}\n${fence}`;
}

/** @param {string} text */
const flat = (text) => text.replace(/[\\`*_<>[\]#|]/g, "\\$&").replace(/\s+/g, " ");

const CONTENT = [
  ["System", "gen_ai.system_instructions"], ["Input", "gen_ai.input.messages"], ["Output", "gen_ai.output.messages"],
  ["Arguments", "gen_ai.tool.call.arguments"], ["Result", "gen_ai.tool.call.result"],
  ["Input", "agentops.input"], ["Output", "agentops.output"],
];

/** @param {number} run @param {number} place */
export function spanMarkdown(run, place) {
  const row = overview.runs[run].rows[place];
  const attributes = ownWords(record(run, place)?.attributes ?? {}, row);
  const facts = [row.outcome, row.took, row.tokens && `${row.tokens} tokens`, row.cost].filter(Boolean).join(", ");
  const parts = [`## ${flat(row.name)}`, facts];
  if (row.error) parts.push(`Error: ${flat(row.error)}`);
  for (const [label, name] of CONTENT) if (attributes[name] !== undefined) parts.push(`**${label}**`, fenced(attributes[name]));
  return `${parts.join("\n\n")}\n`;
}

/** @param {number} number */
export function runMarkdown(number) {
  const run = overview.runs[number];
  const facts = [run.outcome, run.took, run.tokens && `${run.tokens} tokens`, run.cost, run.start, `trace ${run.id}`];
  const parts = [`# ${flat(run.name)}`, facts.filter(Boolean).join(", ")];
  parts.push(run.rows.map((row) => {
    const figures = [row.outcome === "ok" ? "" : row.outcome, row.took, row.tokens, row.cost, row.error && flat(row.error)];
    return `${"  ".repeat(row.depth)}- ${flat(row.name)} (${figures.filter(Boolean).join(", ")})`;
  }).join("\n"));
  if (run.decisions.length) parts.push("## Decisions", run.decisions.map((d, n) => `${n + 1}. ${flat(d.sentence)}`).join("\n"));
  if (run.remarks.length || run.loops.length) {
    parts.push("## Remarks", [...run.remarks, ...run.loops.map((l) => `loop: ${l.text}`)].map((r) => `- ${flat(r)}`).join("\n"));
  }
  return `${parts.join("\n\n")}\n`;
}
