// Captured text: always a text node, long ones a part at a time.
import { useState } from "preact/hooks";
import { html } from "../shared/html.js";
import { visible } from "../shared/visible.js";
import { parsed, shown } from "./run.js";

const FIRST = 4_000;
const STEP = 100_000;

/** @param {{value: any, plain?: boolean}} props */
export function Text({ value, plain }) {
  const text = shown(plain ? value : parsed(value));
  const [length, setLength] = useState(FIRST);
  const more = text.length - length;
  return html`<pre class=${plain ? "said" : "code"}>${visible(text.slice(0, length))}</pre>
    ${more > 0 &&
    html`<button class="more" onClick=${() => setLength(length + STEP)}>
      ${more.toLocaleString("en")} more characters: show ${more > STEP ? "some" : "them"}
    </button>`}`;
}
