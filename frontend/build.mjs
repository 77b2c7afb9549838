// Bundles the script and the style of each page into the Python package: node build.mjs [DIRECTORY]
import { readFileSync } from "node:fs";
import { build } from "esbuild";

const target = process.argv[2] ?? "../src/agentops_sdk";
const version = (name) => JSON.parse(readFileSync(`node_modules/${name}/package.json`, "utf8")).version;
const licence = (name) => `With ${name} ${version(name)}:\n${readFileSync(`node_modules/${name}/LICENSE`, "utf8").trim()}\n\n`;
/** @param {string[]} names of what is in a page and wants its licence there */
const banner = (names) => `/*! ${names.map(licence).join("")}With htm ${version("htm")}, Copyright 2018 Google Inc., Apache-2.0. */`;
for (const [page, parts] of [["report", ["preact"]], ["view", ["preact", "uplot"]]]) {
  await build({
    entryPoints: { [page]: `${page}/main.js` }, outdir: `${target}/${page}/assets`, bundle: true, minify: true, format: "iife",
    target: "es2022", charset: "ascii", legalComments: "none", banner: { js: banner(parts) },
  });
  await build({
    entryPoints: { [page]: `${page}/${page}.css` }, outdir: `${target}/${page}/assets`, bundle: true, minify: true,
    charset: "ascii", target: ["chrome111", "firefox113", "safari16.2"],
  });
}
