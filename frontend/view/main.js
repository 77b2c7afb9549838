// The pages of `agentops view` but that of a run: which one, the address says.
import { render } from "preact";
import { html } from "../shared/html.js";
import { Comparison } from "./comparison.js";
import { Runs } from "./runs.js";
import { Sessions } from "./sessions.js";
import { Stats } from "./stats.js";
import { Trends } from "./trends.js";

/** @type {Record<string, () => any>} */
const PAGES = { "/": Runs, "/sessions": Sessions, "/stats": Stats, "/trends": Trends, "/compare": Comparison };

render(html`<${PAGES[location.pathname] ?? Runs} />`, /** @type {HTMLElement} */ (document.getElementById("page")));
