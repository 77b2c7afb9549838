// Bundles the page's script and style into the Python package: node build.mjs [DIRECTORY]
import { readFileSync } from "node:fs";
import { build } from "esbuild";

const target = process.argv[2] ?? "../../src/agentops_sdk/report/assets";
const version = (name) => JSON.parse(readFileSync(`node_modules/${name}/package.json`, "utf8")).version;
const licence = readFileSync("node_modules/preact/LICENSE", "utf8").trim();
const banner = `/*! With preact ${version("preact")}:\n${licence}\n\nWith htm ${version("htm")}, Copyright 2018 Google Inc., Apache-2.0. */`;
await build({
  entryPoints: { report: "src/main.js" }, outdir: target, bundle: true, minify: true, format: "iife",
  target: "es2022", charset: "ascii", legalComments: "none", banner: { js: banner },
});
await build({ entryPoints: { report: "src/report.css" }, outdir: target, minify: true, charset: "ascii", target: ["chrome111", "firefox113", "safari16.2"] });
