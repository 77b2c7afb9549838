// What the page knows of a run, and what the tree shows of it.
import { stream } from "../shared/stream.js";

/**
 * @typedef {{name: string, kind: string, outcome: string, depth: number, size: number, parent: number, start: number,
 *   seconds: number, took: string, tokens?: string, cost?: string, error?: string, call?: string, skewed?: boolean,
 *   unknown?: Record<string, number>}} Row
 * @typedef {{row: number, at: number, name: string, kind: string, sentence: string, options: string[],
 *   chosen: string[], reason?: string, confidence?: number, scores?: Record<string, any>,
 *   descriptions?: Record<string, string>, by?: string, by_name?: string, policy?: string, model?: string,
 *   forced?: boolean, unlisted?: boolean, waited?: string, times?: number, fingerprint?: string, evidence?: any,
 *   inputs?: any, rejected?: Record<string, any>, followed_by: number[]}} Decision
 * @typedef {{id: string, name: string, outcome: string, start: string, seconds: number, took: string, tokens: string,
 *   usage: any, cost: string, money: any, models: string[], session: string | null,
 *   url: string | null, calls: number, tools: number,
 *   rows: Row[], decisions: Decision[], loops: {text: string, rows: number[]}[], remarks: string[]}} Run
 * @typedef {{version: string, marks: Record<string, string>, home: string, live: string, runs: Run[]}} Overview
 */

/** @param {string} id */
const data = (id) => JSON.parse(document.getElementById(id)?.textContent ?? "null");

/** @type {Overview} */
export let overview = data("overview");

/** @type {Map<number, {shared: string[], lines: ([string, number] | null)[]}>} */
const details = new Map();

/** @param {number} run */
function detailsOf(run) {
  let known = details.get(run);
  if (!known) details.set(run, (known = data(`details-${run}`)));
  return /** @type {{shared: string[], lines: ([string, number] | null)[]}} */ (known);
}

/** The record of a span as the JSON text that was recorded, or null where the page was too large for it.
 * @param {number} run @param {number} row */
export function recordText(run, row) {
  const { shared, lines } = detailsOf(run);
  const line = lines[row];
  if (!line) return null;
  const around = shared[line[1]];
  return around === "{}" ? line[0] : `${line[0].slice(0, -1)},${around.slice(1)}`;
}

const ID = /"span_id":"([0-9a-f]+)"/;

/** By row the id of its span, where its record is in the page. */
const ids = () => detailsOf(0).lines.map((line) => (line ? ID.exec(line[0])?.[1] : undefined));

/** Hear of the run as it goes on, until it is over. @param {(moved: (row: number) => number) => void} onChange is told
 * where a row is now @returns {() => void} */
export function follow(onChange) {
  if (!overview.live) return () => {};
  const end = stream(overview.live, (text) => {
    const before = ids();
    const content = JSON.parse(text);
    overview = content.overview;
    details.set(0, content.details[0]);
    /** @type {Map<string | undefined, number>} */
    const places = new Map(ids().map((id, row) => [id, row]));
    places.delete(undefined);
    const last = overview.runs[0].rows.length - 1;
    onChange((row) => places.get(before[row]) ?? Math.min(row, last));
    if (!overview.live) end();
  });
  return end;
}

/** An integer that JavaScript cannot hold stays the text that it was.
 * @param {string} _ @param {any} value @param {{source?: string}} [context] */
function exact(_, value, context) {
  return typeof value === "number" && Number.isInteger(value) && !Number.isSafeInteger(value) && context?.source
    ? context.source
    : value;
}

/** @param {number} run @param {number} row @returns {any} */
export function record(run, row) {
  const text = recordText(run, row);
  return text === null ? null : JSON.parse(text, exact);
}

/** What a span said: files of older versions repeat at an agent that raised what its model said last. */
/** @param {Record<string, any>} attributes @param {{kind: string, outcome: string}} row @returns {Record<string, any>} */
export function ownWords(attributes, row) {
  if (row.outcome !== "error" || (row.kind !== "agent" && row.kind !== "workflow")) return attributes;
  const { "gen_ai.output.messages": _, ...rest } = attributes;
  return rest;
}

/** A text that holds JSON as what it holds, anything else as it is. @param {any} value */
export function parsed(value) {
  if (typeof value !== "string" || !/^\s*[[{"]/.test(value)) return value;
  try {
    return JSON.parse(value, exact);
  } catch {
    return value;
  }
}

/** @param {any} value @returns {string} */
export function shown(value) {
  if (value === undefined || value === null) return "";
  return typeof value === "string" ? value : JSON.stringify(value, null, 2);
}

/** The rows that are shown: those below a closed one are not. @param {Run} run @param {Set<number>} closed */
export function openRows(run, closed) {
  const rows = [];
  for (let row = 0; row < run.rows.length; ) {
    rows.push(row);
    row += closed.has(row) ? run.rows[row].size : 1;
  }
  return rows;
}

const MANY = 10_000;

/** A small run opens whole, a large one to its second level, and every error is in sight. @param {Run} run */
export function closedAtFirst(run) {
  const closed = new Set();
  if (run.rows.length <= MANY) return closed;
  run.rows.forEach((row, number) => row.size > 1 && row.depth >= 1 && closed.add(number));
  const first = run.rows.findIndex((row) => row.outcome === "error");
  if (first >= 0) reveal(run, closed, first);
  return closed;
}

/** @param {Run} run @param {Set<number>} closed @param {number} row */
export function reveal(run, closed, row) {
  for (let above = run.rows[row].parent; above >= 0; above = run.rows[above].parent) closed.delete(above);
}

/** What was said and set, without ids and times, in which a number would be found everywhere. @param {string} line */
const said = (line) => line.slice(Math.max(0, line.indexOf('"attributes":')));

/** The rows in which every word stands, in what the tree shows or in what was recorded.
 * @param {number} number @param {string} query */
export function matches(number, query) {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  const { lines } = detailsOf(number);
  const hits = new Set();
  overview.runs[number].rows.forEach((row, place) => {
    const text = `${row.name} ${row.kind} ${row.outcome} ${row.error ?? ""} ${said(lines[place]?.[0] ?? "")}`.toLowerCase();
    if (words.every((word) => text.includes(word))) hits.add(place);
  });
  return hits;
}

/** Some rows and all above them, in the order of the tree. @param {Run} run @param {Set<number>} hits */
export function withAncestors(run, hits) {
  const rows = new Set(hits);
  for (const hit of hits) {
    for (let above = run.rows[hit].parent; above >= 0 && !rows.has(above); above = run.rows[above].parent) rows.add(above);
  }
  return [...rows].sort((a, b) => a - b);
}
