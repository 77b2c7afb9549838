// Plots: uPlot's canvases in the colours of the page, with a text for who does not see them.
import { useEffect, useRef } from "preact/hooks";
import uPlot from "uplot";
import { html } from "../shared/html.js";
import { colour, whenColoursChange } from "../shared/theme.js";

const COLOURS = ["--accent", "--choice", "--model", "--tool", "--bad", "--other"];
const DASHES = [[], [6, 3], [2, 2], [8, 2, 2, 2], [4, 4], [1, 3]];
const HEIGHT = 140;
const FONT = '11px system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif';

/** Asked with each drawing. @param {string} name */
const ink = (name) => () => colour(name);

/** @type {Set<uPlot>} */
const drawn = new Set();
whenColoursChange(() => drawn.forEach((plot) => plot.redraw(false, true)));

/** A plot in an element, made anew when what it is made from has changed.
 * @param {{current: HTMLElement | null}} box @param {string} key what it is made from
 * @param {(box: HTMLElement) => uPlot} make */
function usePlot(box, key, make) {
  useEffect(() => {
    if (!box.current) return;
    const plot = make(box.current);
    drawn.add(plot);
    return () => { drawn.delete(plot); plot.destroy(); };
  }, [key]);
}

/** From nothing to the largest value. @type {(plot: uPlot, least: number, most: number) => [number, number]} */
const fromZero = (_, __, most) => [0, most > 0 ? most * 1.05 : 1];

/** A line as high as the text around it, its last value marked.
 * @param {{values: (number | null)[], label: string, bad?: boolean}} props */
export function Spark({ values, label, bad = false }) {
  const box = useRef(/** @type {HTMLElement | null} */ (null));
  usePlot(box, JSON.stringify([values, bad]), (element) => new uPlot({
    width: 94, height: 22, padding: [3, 3, 3, 1], axes: [{ show: false }, { show: false }], legend: { show: false }, cursor: { show: false },
    scales: { x: { time: false }, y: { range: fromZero } },
    series: [{}, { stroke: ink(bad ? "--bad" : "--accent"), width: 1.5, spanGaps: true, points: { show: true, size: 4, width: 0, fill: ink(bad ? "--bad" : "--accent"), filter: (plot) => [plot.data[0].length - 1] } }],
  }, [values.map((_, place) => place), values], element));
  return html`<span class="spark" ref=${box} role="img" aria-label=${label} title=${label}></span>`;
}

/** One figure over the periods, a line for each of what they are of; the values under the pointer stand below it, in
 * all plots of a page at once.
 * @param {{title: string, by: string, periods: string[], series: {name: string, values: (number | null)[], texts: string[]}[]}} props */
export function Plot({ title, by, periods, series }) {
  const box = useRef(/** @type {HTMLElement | null} */ (null));
  const legend = useRef(/** @type {HTMLElement | null} */ (null));
  const last = periods.length - 1;
  usePlot(box, JSON.stringify([periods, series]), (element) => {
    const axis = { stroke: ink("--quiet"), font: FONT, grid: { stroke: ink("--line"), width: 1 }, ticks: { show: false } };
    const plot = new uPlot({
      width: element.clientWidth, height: HEIGHT, padding: [8, 34, 0, 0],
      cursor: { sync: { key: "plots" }, drag: { x: false, y: false }, points: { size: 7 } },
      legend: {
        mount: (_, table) => legend.current?.append(table),
        markers: { stroke: (_, place) => `var(${COLOURS[(place - 1) % COLOURS.length]})`, dash: (_, place) => (place === 1 ? "solid" : "dashed") },
      },
      scales: { x: { time: false, range: (_, least, most) => (least === most ? [least - 1, most + 1] : [least, most]) }, y: { range: fromZero } },
      axes: [
        { ...axis, size: 22, space: 78, incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000], values: (_, splits) => splits.map((place) => periods[place] ?? "") },
        { ...axis, size: 46, values: (_, splits) => splits.map((value) => value.toLocaleString("en", { notation: "compact" })) },
      ],
      series: [
        { label: by, value: (_, __, ___, place) => periods[place ?? last] },
        ...series.map((one, number) => ({
          label: one.name || title, stroke: ink(COLOURS[number % COLOURS.length]), width: 1.5, dash: DASHES[number % DASHES.length],
          points: { show: true, size: 5, fill: ink(COLOURS[number % COLOURS.length]) },
          value: (/** @type {uPlot} */ _, /** @type {number | null} */ __, /** @type {number} */ ___, /** @type {number | null} */ place) => one.texts[place ?? last] || "–",
        })),
      ],
    }, [periods.map((_, place) => place), ...series.map((one) => one.values)], element);
    const watch = new ResizeObserver(() => element.clientWidth && element.clientWidth !== plot.width && plot.setSize({ width: element.clientWidth, height: HEIGHT }));
    watch.observe(element);
    plot.hooks.destroy = [() => watch.disconnect()];
    return plot;
  });
  const label = `${title}: ${series.map((one) => `${one.name} ${one.texts.filter(Boolean).join(", ")}`.trim()).join("; ")}`;
  return html`<figure class="plot"><figcaption>${title}</figcaption><div ref=${box} role="img" aria-label=${label}></div><div ref=${legend}></div></figure>`;
}
