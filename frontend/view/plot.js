// Small plots, drawn as SVG: they follow the colours of the page, print, and have a text for who does not see them.
import { html } from "../shared/html.js";

/** The points of a line through values, of which some may be missing.
 * @param {(number | null)[]} values @param {number} width @param {number} height @param {number} most */
function points(values, width, height, most) {
  const step = values.length > 1 ? width / (values.length - 1) : 0;
  return values.map((value, place) => (value === null ? null : { x: place * step, y: height - (most ? value / most : 0) * height }));
}

/** Stretches without a gap. @param {({x: number, y: number} | null)[]} line */
function stretches(line) {
  /** @type {string[][]} */
  const parts = [[]];
  for (const point of line) {
    if (point) parts[parts.length - 1].push(`${point.x.toFixed(1)},${point.y.toFixed(1)}`);
    else if (parts[parts.length - 1].length) parts.push([]);
  }
  return parts.filter((part) => part.length).map((part) => part.join(" "));
}

/** A line as high as the text around it, its last value marked.
 * @param {{values: (number | null)[], label: string, bad?: boolean}} props */
export function Spark({ values, label, bad = false }) {
  const [width, height] = [90, 18];
  const line = points(values, width, height, Math.max(0, ...values.map((value) => value ?? 0)));
  const last = line[line.length - 1];
  return html`<svg class=${bad ? "spark bad" : "spark"} viewBox=${`-2 -2 ${width + 4} ${height + 4}`} width=${width + 4} height=${height + 4} role="img" aria-label=${label}>
    <title>${label}</title>
    ${stretches(line).map((part) => html`<polyline points=${part} />`)}
    ${last && html`<circle cx=${last.x} cy=${last.y} r="2" />`}</svg>`;
}

/** One figure over the periods, a line for each of what they are of.
 * @param {{title: string, periods: string[], series: {name: string, values: (number | null)[], texts: string[]}[]}} props */
export function Plot({ title, periods, series }) {
  const [width, height] = [300, 90];
  const every = series.flatMap((one) => one.values.map((value, place) => ({ value, text: one.texts[place] })));
  const top = every.reduce((most, each) => ((each.value ?? 0) > (most.value ?? 0) ? each : most), { value: 0, text: "0" });
  const label = `${title}: ${series.map((one) => `${one.name} ${one.texts.filter(Boolean).join(", ")}`.trim()).join("; ")}`;
  return html`<figure class="plot"><figcaption>${title}</figcaption>
    <svg viewBox=${`-6 -18 ${width + 12} ${height + 38}`} role="img" aria-label=${label}>
      <line class="axis" x1="0" x2=${width} y1=${height} y2=${height} /><line class="axis" x1="0" x2=${width} y1="0" y2="0" />
      ${series.map((one, number) => {
        const line = points(one.values, width, height, top.value ?? 0);
        return html`<g class=${`series s${number % 6}`}>${stretches(line).map((part) => html`<polyline points=${part} />`)}
          ${line.map((point, place) => point && html`<circle cx=${point.x} cy=${point.y} r="3"><title>${`${one.name} ${periods[place]}: ${one.texts[place]}`.trim()}</title></circle>`)}</g>`;
      })}
      <text x="0" y="-6">${top.text}</text>
      <text x="0" y=${height + 16}>${periods[0]}</text>${periods.length > 1 && html`<text class="end" x=${width} y=${height + 16}>${periods[periods.length - 1]}</text>`}
    </svg></figure>`;
}
