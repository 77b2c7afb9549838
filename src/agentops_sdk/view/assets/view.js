// The list of runs and two runs side by side. Every text of a trace becomes a text node, never markup.
"use strict";

const page = document.getElementById("page");
const FIELDS = ["text", "session", "user", "agent", "model", "tool", "tag", "service", "outcome", "since", "until", "min_cost", "slower_than", "where"];

/** An element with properties and children; strings become text nodes. */
function element(name, properties = {}, ...children) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
    else if (value !== undefined && value !== false) node.setAttribute(key, value === true ? "" : value);
  }
  node.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== ""));
  return node;
}

const styleOf = (outcome) => (outcome === "ok" ? "good" : outcome === "running" ? "running" : "bad");

async function asked(address, options) {
  const answer = await fetch(address, options);
  const content = await answer.json().catch(() => ({ error: `the server answered ${answer.status}` }));
  if (!answer.ok) throw new Error(content.error ?? `the server answered ${answer.status}`);
  return content;
}

// --- the list --------------------------------------------------------------------------------

function list() {
  const query = new URLSearchParams(location.search);
  const status = element("p", { role: "status", class: "dim" });
  const live = element("pre", { id: "live", "aria-label": "what happens now", tabindex: "0" });
  const body = element("tbody");
  const chosen = new Set();
  const compare = element("button", { type: "button", disabled: true, onclick: () => {
    const [a, b] = chosen;
    location.href = `/compare?${new URLSearchParams({ a, b })}`;
  } }, "compare two");
  const fields = FIELDS.map((name) => element("label", {}, name.replace("_", " "),
    element("input", { name, value: query.get(name) ?? "", size: name === "text" || name === "where" ? 18 : 9 })));
  const errors = element("label", {}, "with errors", element("input", { type: "checkbox", name: "errors", value: "true", checked: query.get("errors") === "true" }));
  const form = element("form", { method: "get", action: "/" }, fields, errors, element("button", {}, "choose"),
    element("a", { href: "/" }, "all"), compare);
  const heads = ["", "when (UTC)", "name", "outcome", "took", "session", "user", "models", "tokens", "cost", "", ""];
  page.replaceChildren(element("h1", {}, "Runs"), form, live, status,
    element("table", {}, element("thead", {}, element("tr", {}, heads.map((head) => element("th", { scope: "col" }, head)))), body));

  function choose(id, box) {
    if (box.checked) chosen.add(id); else chosen.delete(id);
    compare.disabled = chosen.size !== 2;
  }

  async function judge(run, value, cell) {
    const comment = value ? undefined : prompt("What was wrong? (may stay empty)") ?? undefined;
    try {
      await asked(`/runs/${run.id}/feedback`, { method: "POST", headers: { "Content-Type": "application/json" },
        body: JSON.stringify({ name: "helpful", value, comment }) });
      cell.replaceChildren("kept");
    } catch (error) { cell.replaceChildren(element("span", { class: "bad" }, error.message)); }
  }

  function row(run, most) {
    const box = element("input", { type: "checkbox", "aria-label": `compare ${run.name}` });
    box.checked = chosen.has(run.id);
    box.addEventListener("change", () => choose(run.id, box));
    const verdict = element("td", {}, run.feedback ? element("span", { class: "dim" }, `${run.feedback} `) : "");
    verdict.append(element("button", { type: "button", title: "helpful", onclick: () => judge(run, true, verdict) }, "+"),
      element("button", { type: "button", title: "not helpful", onclick: () => judge(run, false, verdict) }, "\u2212"));
    return element("tr", {}, element("td", {}, box), element("td", { class: "dim" }, run.start),
      element("td", {}, element("a", { href: `/runs/${run.id}` }, run.name || run.id)),
      element("td", { class: styleOf(run.outcome) }, run.outcome + (run.errors ? ` (${run.errors} failed)` : "")),
      element("td", { class: "figure" }, run.took),
      element("td", {}, run.session ? element("a", { href: `/?${new URLSearchParams({ session: run.session })}` }, run.session) : ""),
      element("td", {}, run.user), element("td", {}, run.models.join(", ")),
      element("td", { class: "figure" }, run.tokens), element("td", { class: "figure" }, run.cost),
      element("td", {}, run.amount ? element("meter", { max: most, value: run.amount, title: `cost ${run.cost}` }) : ""), verdict);
  }

  async function refresh() {
    try {
      const told = await asked(`/api/runs${location.search}`);
      const most = Math.max(0, ...told.rows.map((run) => run.amount));
      body.replaceChildren(...told.rows.map((run) => row(run, most)));
      const shown = told.rows.length < told.count ? `the latest ${told.rows.length} of ` : "";
      status.textContent = [`${shown}${told.count} of ${told.of} runs`, ...told.remarks].join(" \u00b7 ");
      status.className = "dim";
    } catch (error) { status.textContent = error.message; status.className = "bad"; }
  }

  let waiting = false;
  const events = new EventSource("/api/live");
  events.onmessage = (event) => {
    const told = JSON.parse(event.data);
    live.append(element("span", { class: told.kind === "started" ? "running" : told.outcome === "ok" ? "" : "bad" }, `${told.text}\n`));
    while (live.childNodes.length > 200) live.firstChild.remove();
    live.scrollTop = live.scrollHeight;
    if (!waiting) { waiting = true; setTimeout(() => { waiting = false; refresh(); }, 500); }
  };
  refresh();
}

// --- two runs --------------------------------------------------------------------------------

function side(step) {
  if (!step) return element("td", { class: "dim" }, "\u2013");
  const facts = [step.outcome === "ok" ? "" : step.outcome, step.took, step.tokens, step.cost].filter(Boolean).join("  ");
  return element("td", {}, "\u00a0\u00a0".repeat(step.depth), step.name, " ",
    element("span", { class: step.outcome === "ok" ? "dim" : "bad" }, facts),
    step.chosen ? element("div", {}, `chose ${step.chosen}`) : "", step.error ? element("div", { class: "bad" }, step.error) : "");
}

async function twoRuns() {
  try {
    const told = await asked(`/api/compare${location.search}`);
    const head = (run) => element("th", { scope: "col" }, element("a", { href: `/runs/${run.id}` }, run.name),
      ` ${run.outcome}  ${run.took}  ${run.tokens}  ${run.cost}`);
    const rows = told.rows.map((row, number) => element("tr",
      { class: [row.same ? "" : "differs", number === told.first ? "first" : ""].join(" ").trim() || undefined },
      element("td", { class: "figure dim" }, String(number + 1)), side(row.a), side(row.b)));
    const sentence = told.first === null ? "Both runs did the same." : `They part at step ${told.first + 1}.`;
    page.replaceChildren(element("h1", {}, "Two runs"), element("p", { role: "status" }, sentence, " ", element("a", { href: "/" }, "all runs"),
      told.left_out ? ` (${told.left_out} steps are left out)` : ""),
      element("table", {}, element("thead", {}, element("tr", {}, element("th", {}), head(told.a), head(told.b))), element("tbody", {}, rows)));
    page.querySelector("tr.first")?.scrollIntoView({ block: "center" });
  } catch (error) { page.replaceChildren(element("p", { class: "bad", role: "status" }, error.message), element("a", { href: "/" }, "all runs")); }
}

if (location.pathname === "/compare") twoRuns(); else list();
