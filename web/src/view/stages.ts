/** The stages a lesson usually has, in the order of their keys, and what each is called on the screen. */

import "./stage_words";
import { useI18n } from "../i18n";

export const STAGES = ["intro", "new_content", "practice", "summary"] as const;

/** A stage of the usual ones in the language of the page, the teacher's own word as it is. */
export function stageName(name: string): string {
  const { t } = useI18n();
  return (STAGES as readonly string[]).includes(name) ? t(`stages.names.${name}`) : name;
}
