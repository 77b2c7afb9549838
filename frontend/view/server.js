// What the server is asked, and what the address says.

/**
 * @typedef {{name: string, verdict: string, comment: string}} Verdict
 * @typedef {{id: string, at: number, start: string, name: string, outcome: string, seconds: number, took: string,
 *   session: string, user: string, models: string[], errors: number, tokens: string, cost: string, amount: number,
 *   feedback: string, verdicts: Verdict[]}} Run
 * @typedef {{rows: Run[], count: number, cost: string, of: number, remarks: string[]}} RunList
 * @typedef {{id: string, name: string, start: string, last: string, users: string[], runs: number, failed: number,
 *   seconds: number[], tokens: string, cost: string, outcome: string}} Session
 * @typedef {{rows: Session[], count: number, turns: (Run & {asked: string, answered: string})[]}} SessionList
 * @typedef {"cost" | "tokens" | "calls" | "errors" | "p95"} Measure
 * @typedef {{key: string, choice: Record<string, string>, calls: number, errors: number, p50: string, p95: string,
 *   tokens: string, cost: string, wasted: string, share: number, measures: Record<Measure, number>}} StatsRow
 * @typedef {{by: string, rows: StatsRow[], count: number, total: StatsRow, unknown: string[]}} Stats
 * @typedef {{period: string, of: string, values: Record<string, number | null>, texts: Record<string, string>,
 *   unknown: number}} Period
 * @typedef {{by: string, split: string, periods: Period[],
 *   changes: {lines: string[], worse: boolean, sure: boolean}[]}} Trends
 * @typedef {{name: string, kind: string, outcome: string, depth: number, chosen: string, error: string, took: string,
 *   tokens: string, cost: string}} Step
 * @typedef {{id: string, name: string, outcome: string, took: string, tokens: string, cost: string}} Side
 * @typedef {{rows: {a: Step | null, b: Step | null, same: boolean}[], first: number | null, left_out: number, a: Side,
 *   b: Side}} Alignment
 * @typedef {{name: string, help: string, value: string, repeats: boolean}} Filter
 */

/** What may be asked for. @type {{filters: Filter[], by: string[], periods: string[], splits: string[]}} */
export const words = JSON.parse(document.getElementById("words")?.textContent ?? "{}");

/** What the address asks for. */
export const query = new URLSearchParams(location.search);

/** The filters in the address, without what a page asks for of its own. */
export function filters() {
  const names = new Set(words.filters.map((filter) => filter.name));
  return [...query].filter(([name, value]) => names.has(name) && value);
}

/** An address with these words, and the filters of this one. @param {string} path @param {Record<string, string>} [own] */
export function address(path, own = {}) {
  const kept = filters().filter(([name]) => !(name in own));
  const text = new URLSearchParams([...Object.entries(own).filter(([, value]) => value), ...kept]).toString();
  return text ? `${path}?${text}` : path;
}

const SHORTEST = 500;
const SHARE = 4;
let took = 0;

/** Milliseconds before what is shown is asked for anew, while things happen: large directories are asked seldom. */
export const pause = () => Math.max(SHORTEST, SHARE * took);

/** @param {string} path @param {RequestInit} [options] @returns {Promise<any>} */
export async function asked(path, options) {
  const began = performance.now();
  const answer = await fetch(path, options);
  const content = await answer.json().catch(() => ({ error: `the server answered ${answer.status}` }));
  took = performance.now() - began;
  if (!answer.ok) throw new Error(content.error ?? `the server answered ${answer.status}`);
  return content;
}

/** @param {string} run @param {{name: string, value: boolean | number | string, comment?: string}} verdict */
export const judge = (run, verdict) =>
  asked(`/runs/${run}/feedback`, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(verdict) });
