// Captured text: always a text node, long ones a part at a time.
import { useState } from "preact/hooks";
import { html } from "./html.js";
import { parsed, shown } from "./run.js";

const FIRST = 4_000;
const STEP = 100_000;
// Controls and what changes the direction of text are shown as what they are.
const HARMFUL = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff]/g;

/** @param {unknown} text what should be a text; a record from elsewhere may hold anything */
export const visible = (text) =>
  String(text).replace(HARMFUL, (c) => {
    const code = c.charCodeAt(0);
    return code < 256 ? `\\x${code.toString(16).padStart(2, "0")}` : `\\u${code.toString(16).padStart(4, "0")}`;
  });

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
