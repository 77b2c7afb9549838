// What a server tells as it happens, while the page is looked at: a browser keeps only six connections to one server.

/** @param {string} path @param {(text: string) => void} onMessage @param {() => void} [onReturn] called when the page
 * is looked at again: meanwhile it was told nothing. @returns {() => void} ends it */
export function stream(path, onMessage, onReturn) {
  /** @type {EventSource | null} */
  let events = null;
  const open = () => {
    events = new EventSource(path);
    events.onmessage = (event) => onMessage(event.data);
  };
  const look = () => {
    if (document.hidden) {
      events?.close();
      events = null;
    } else if (!events) {
      open();
      onReturn?.();
    }
  };
  if (!document.hidden) open();
  document.addEventListener("visibilitychange", look);
  return () => {
    document.removeEventListener("visibilitychange", look);
    events?.close();
  };
}
