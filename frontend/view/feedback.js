// What was thought of a run, and a form for what somebody thinks now.
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { html } from "../shared/html.js";
import { judge } from "./server.js";

/** @param {{run: import("./server.js").Run, onClose: (kept: boolean) => void}} props */
export function FeedbackDialog({ run, onClose }) {
  const dialog = useRef(/** @type {HTMLDialogElement | null} */ (null));
  const [wrong, setWrong] = useState("");
  const [kind, setKind] = useState("yes");
  useLayoutEffect(() => dialog.current?.showModal(), []); // before the next key, which is meant for it
  /** @param {SubmitEvent} event */
  const onSubmit = async (event) => {
    event.preventDefault();
    const told = new FormData(/** @type {HTMLFormElement} */ (event.target));
    const text = String(told.get("value") ?? "");
    const value = kind === "number" ? Number(text) : kind === "word" ? text : kind === "yes";
    try {
      await judge(run.id, { name: String(told.get("name")), value, comment: String(told.get("comment")) });
      dialog.current?.close("kept");
    } catch (error) {
      setWrong(error instanceof Error ? error.message : String(error));
    }
  };
  return html`<dialog ref=${dialog} aria-label="Feedback" onClose=${() => onClose(dialog.current?.returnValue === "kept")}>
    <h2>${run.name}</h2>
    ${run.verdicts.length > 0 && html`<ul class="verdicts">${run.verdicts.map((each) =>
      html`<li><b>${each.name}</b> ${each.verdict}${each.comment && html`<div class="quiet">${each.comment}</div>`}</li>`)}</ul>`}
    <form onSubmit=${onSubmit}>
      <label>what is judged <input name="name" defaultValue="helpful" required maxlength="200" /></label>
      <fieldset><legend>verdict</legend>${[["yes", "yes"], ["no", "no"], ["number", "a number"], ["word", "a word"]].map(([value, text]) =>
        html`<label class="switch"><input type="radio" name="kind" value=${value} checked=${kind === value} onChange=${() => setKind(value)} /> ${text}</label>`)}</fieldset>
      ${(kind === "number" || kind === "word") && html`<label>${kind} <input name="value" type=${kind === "number" ? "number" : "text"} step="any" required maxlength="200" /></label>`}
      <label>comment <textarea name="comment" rows="3" maxlength="10000"></textarea></label>
      <p role="status" class="bad">${wrong}</p>
      <div><button>Keep</button> <button type="button" onClick=${() => dialog.current?.close()}>Cancel</button></div>
    </form></dialog>`;
}
