/** Prints a file without leaving the page: in a frame nobody sees, a PDF by the browser's own viewer. */

import type { Handout } from "../protocol/handouts";

const LOADS_WITHIN = 30_000; // ms

/** Throws where the browser does not let a page print its viewer. */
export async function printFile(one: Pick<Handout, "url" | "kind" | "name">): Promise<void> {
  document.querySelector("iframe.printed")?.remove();
  const frame = document.createElement("iframe");
  frame.className = "printed visually-hidden";
  frame.title = one.name;
  frame.tabIndex = -1;
  frame.setAttribute("aria-hidden", "true");
  if (one.kind === "pdf") {
    await loaded(frame, () => {
      frame.src = one.url;
      document.body.append(frame);
    });
  } else {
    document.body.append(frame);
    const page = frame.contentDocument;
    if (!page) throw new Error("no frame");
    const picture = page.createElement("img");
    picture.alt = one.name;
    picture.style.cssText = "display: block; max-width: 100%; max-height: 96vh; margin: 0 auto;"; // one sheet
    page.title = one.name;
    await loaded(picture, () => {
      picture.src = one.url;
      page.body.append(picture);
    });
  }
  const shown = frame.contentWindow;
  if (!shown) throw new Error("no frame");
  shown.focus();
  shown.print();
}

function loaded(element: HTMLElement, begin: () => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const late = setTimeout(() => reject(new Error("too slow")), LOADS_WITHIN);
    element.onload = () => (clearTimeout(late), resolve());
    element.onerror = () => (clearTimeout(late), reject(new Error("not loaded")));
    begin();
  });
}
