/** The stages a lesson usually has, in the order of their keys, and what each is called on the screen. */

import "./stage_words";
import { useI18n } from "../i18n";
import type { Stage } from "../protocol/messages";

export const STAGES = ["intro", "new_content", "practice", "summary"] as const;

/** A stage of the usual ones in the language of the page, the teacher's own word as it is. */
export function stageName(name: string): string {
  const { t } = useI18n();
  return (STAGES as readonly string[]).includes(name) ? t(`stages.names.${name}`) : name;
}

/** The one of the usual stages that comes after those that have begun; null after the last. A word of the teacher's own is between two of them. */
export function nextStage(begun: readonly Stage[]): string | null {
  const usual = begun.map((one) => (STAGES as readonly string[]).indexOf(one.name)).filter((index) => index >= 0);
  return STAGES[(usual[usual.length - 1] ?? -1) + 1] ?? null;
}
