// Bundles the script and the style of each page into the Python package: node build.mjs [DIRECTORY]
import { readFileSync } from "node:fs";
import { build } from "esbuild";

const target = process.argv[2] ?? "../src/agentops_sdk";
const version = (name) => JSON.parse(readFileSync(`node_modules/${name}/package.json`, "utf8")).version;
const licence = readFileSync("node_modules/preact/LICENSE", "utf8").trim();
const banner = `/*! With preact ${version("preact")}:\n${licence}\n\nWith htm ${version("htm")}, Copyright 2018 Google Inc., Apache-2.0. */`;
for (const page of ["report", "view"]) {
  await build({
    entryPoints: { [page]: `${page}/main.js` }, outdir: `${target}/${page}/assets`, bundle: true, minify: true, format: "iife",
    target: "es2022", charset: "ascii", legalComments: "none", banner: { js: banner },
  });
  await build({
    entryPoints: { [page]: `${page}/${page}.css` }, outdir: `${target}/${page}/assets`, bundle: true, minify: true,
    charset: "ascii", target: ["chrome111", "firefox113", "safari16.2"],
  });
}
