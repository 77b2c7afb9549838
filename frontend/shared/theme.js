// Light or dark: as the system has it, or as the button says; on paper light.
import { html } from "./html.js";

export const ThemeButton = () => html`<button type="button" aria-label="Light or dark" title="Light or dark" onClick=${() => {
  const dark = getComputedStyle(document.documentElement).colorScheme === "dark";
  document.documentElement.dataset.theme = dark ? "light" : "dark";
}}>◐</button>`;

/** A colour of the page as it is now. @param {string} name */
export const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name);

/** What is drawn on a canvas has to be drawn again. @param {() => void} redraw @returns {() => void} ends it */
export function whenColoursChange(redraw) {
  const media = ["(prefers-color-scheme: dark)", "print"].map((query) => matchMedia(query));
  for (const each of media) each.addEventListener("change", redraw);
  const watch = new MutationObserver(redraw);
  watch.observe(document.documentElement, { attributeFilter: ["data-theme"] });
  return () => {
    for (const each of media) each.removeEventListener("change", redraw);
    watch.disconnect();
  };
}
