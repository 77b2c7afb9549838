// Light or dark: as the system has it, or as the button says.
import { html } from "./html.js";

export const ThemeButton = () => html`<button type="button" aria-label="Light or dark" title="Light or dark" onClick=${() => {
  const dark = getComputedStyle(document.documentElement).colorScheme === "dark";
  document.documentElement.dataset.theme = dark ? "light" : "dark";
}}>◐</button>`;
