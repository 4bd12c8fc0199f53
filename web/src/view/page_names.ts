/** What a page of a lesson is called where it stands in a list. */

import type { Words } from "../i18n";
import { type Drawn, pageOn } from "../replay/drawn";

/** With several sets of slides also of which; a page of the board by its number. */
export function pageName(drawn: Drawn, surface: string, t: Words["t"]): string {
  const { title, page } = pageOn(drawn, surface);
  if (title === null) return t("replay.boardPage", { page });
  return drawn.sets.size > 1 && title ? t("replay.pageOf", { title, page }) : t("replay.page", { page });
}
