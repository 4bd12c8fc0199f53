import { expect, test } from "vitest";
import { ahead } from "../../build/delivery";

const PAGE = '<head>\n    <script type="module" src="/assets/index-1.js"></script>\n  </head>';

test("a page names ahead what it will ask for, each once", () => {
  const page = ahead(PAGE, ["assets/index-1.js", "assets/ClassPage-2.js", "assets/ClassPage-3.css"]);
  expect(page.match(/index-1\.js/g)).toHaveLength(1);
  expect(page).toContain('<link rel="modulepreload" crossorigin href="/assets/ClassPage-2.js">');
  expect(page).toContain('<link rel="stylesheet" crossorigin href="/assets/ClassPage-3.css">');
  expect(page.indexOf("ClassPage-3")).toBeLessThan(page.indexOf("</head>"));
});
