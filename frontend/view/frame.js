// What every page has: the way to the others, the filters, and what went wrong.
import { useEffect, useState } from "preact/hooks";
import { html } from "../shared/html.js";
import { stream } from "../shared/stream.js";
import { ThemeButton } from "../shared/theme.js";
import { address, asked, pause, query, words } from "./server.js";

const PAGES = [["/", "Runs"], ["/sessions", "Sessions"], ["/stats", "Stats"], ["/trends", "Trends"]];
const FIRST = new Set(["text", "agent", "model", "tool", "since", "outcome"]);

/** @param {{title: string, keys?: string, filtered?: boolean, own?: Record<string, string>, children?: any}} props */
export function Frame({ title, keys, filtered = true, own, children }) {
  useEffect(() => {
    document.title = `${title} - agentops view`;
    /** @param {KeyboardEvent} event */
    const onKey = (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event)) return;
      const number = Number(event.key);
      if (event.key === "/") {
        const field = document.querySelector("form.filters input");
        if (field instanceof HTMLElement) field.focus();
        event.preventDefault();
      } else if (number >= 1 && number <= PAGES.length) location.assign(address(PAGES[number - 1][0]));
    };
    addEventListener("keydown", onKey);
    return () => removeEventListener("keydown", onKey);
  }, [title]);
  return html`<header class="top"><nav aria-label="Pages">${PAGES.map(([path, name]) =>
      html`<a href=${address(path)} aria-current=${location.pathname === path ? "page" : undefined}>${name}</a>`)}</nav><${ThemeButton} /></header>
    <main><h1>${title}</h1>${filtered && html`<${FilterForm} own=${own ?? {}} />`}${children}</main>
    <footer class="quiet">${keys ? `${keys} · ` : ""}1–4 pages · / filters</footer>`;
}

/** @param {KeyboardEvent} event */
export const isTyping = (event) =>
  event.target instanceof HTMLInputElement && !["checkbox", "radio"].includes(event.target.type) ||
  event.target instanceof HTMLTextAreaElement || event.target instanceof HTMLSelectElement;

/** The filters of every command, a field for each value. @param {{own: Record<string, string>}} props */
function FilterForm({ own }) {
  /** @param {SubmitEvent} event */
  const onSubmit = (event) => {
    event.preventDefault();
    const told = [...new FormData(/** @type {HTMLFormElement} */ (event.target))].map(([name, value]) => [name, String(value)]);
    const text = new URLSearchParams([...Object.entries(own), ...told].filter(([, value]) => value)).toString();
    location.assign(text ? `${location.pathname}?${text}` : location.pathname);
  };
  /** @param {import("./server.js").Filter} filter */
  const field = (filter) => {
    const given = query.getAll(filter.name).filter(Boolean);
    const label = filter.name.replace("_", " ");
    if (!filter.value) return html`<label class="switch" title=${`only runs ${filter.help}`}><input type="checkbox" name=${filter.name} value="true" defaultChecked=${given[0] === "true"} /> ${label}</label>`;
    const fields = filter.repeats || !given.length ? [...given, ""] : given;
    return html`<label title=${`only runs ${filter.help}`}>${label}${fields.map((value) =>
      html`<input name=${filter.name} defaultValue=${value} placeholder=${filter.value} size="10" aria-label=${label} />`)}</label>`;
  };
  const first = words.filters.filter((filter) => FIRST.has(filter.name));
  const more = words.filters.filter((filter) => !FIRST.has(filter.name));
  const active = more.some((filter) => query.has(filter.name));
  return html`<form class="filters" aria-label="Filters" onSubmit=${onSubmit}>
    ${first.map(field)}<details open=${active}><summary>more filters</summary><div>${more.map(field)}</div></details>
    <button>Filter</button>${query.size > 0 && html`<a href=${location.pathname}>all</a>`}
  </form>`;
}

/** A number that grows when something has happened in the chosen runs. @param {boolean} [isLive] @returns {number} */
export function useTurn(isLive = true) {
  const [turn, setTurn] = useState(0);
  useEffect(() => {
    if (!isLive) return;
    let timer = 0;
    const later = () => { timer ||= setTimeout(() => { timer = 0; setTurn((before) => before + 1); }, pause()); };
    const end = stream(address("/api/live"), later, later);
    return () => { clearTimeout(timer); end(); };
  }, [isLive]);
  return turn;
}

/** What the server answers to an address; asked again when ``turn`` changes. @param {string} path @param {number} [turn]
 * @returns {{content: any, wrong: string}} */
export function useAnswer(path, turn = 0) {
  const [state, setState] = useState({ content: /** @type {any} */ (null), wrong: "" });
  useEffect(() => {
    let left = false;
    asked(path).then(
      (content) => left || setState({ content, wrong: "" }),
      (error) => left || setState((before) => ({ content: before.content, wrong: error.message })),
    );
    return () => { left = true; };
  }, [path, turn]);
  return state;
}

/** @param {{wrong: string, content: any, children?: any}} props */
export const Status = ({ wrong, content, children }) =>
  html`<p role="status" class=${wrong ? "bad" : "quiet"}>${wrong || (content === null ? "reading ..." : children)}</p>`;

/** @param {string} outcome */
export const styleOf = (outcome) => (outcome === "ok" ? "good" : outcome === "running" ? "running" : "bad");
