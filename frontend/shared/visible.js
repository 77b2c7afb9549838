// Captured text as it may be shown: nothing in it acts on the terminal, the page or the direction of reading.

// Controls and what changes the direction of text are shown as what they are.
const HARMFUL = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff]/g;

/** @param {unknown} text what should be a text; a record from elsewhere may hold anything */
export const visible = (text) =>
  String(text).replace(HARMFUL, (c) => {
    const code = c.charCodeAt(0);
    return code < 256 ? `\\x${code.toString(16).padStart(2, "0")}` : `\\u${code.toString(16).padStart(4, "0")}`;
  });
