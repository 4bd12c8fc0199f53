/** The REST calls by which a lesson that is taught again takes over what the first one had: not part of the class page. */

import { number, shape } from "./decode";
import { listHandouts } from "./handouts";
import { json } from "./http";
import { listSlides } from "./slides";

export interface Materials {
  slides: number; // sets
  handouts: number;
}

/** What would come along. */
export async function materialsOf(lessonId: string): Promise<Materials> {
  const [slides, handouts] = await Promise.all([listSlides(lessonId), listHandouts(lessonId, null)]);
  return { slides: slides.filter((one) => one.state === "ready").length, handouts: handouts.length };
}

export async function takeMaterials(lessonId: string, from: string): Promise<Materials> {
  const address = `/api/lessons/${encodeURIComponent(lessonId)}/materials`;
  return shape<Materials>({ slides: number, handouts: number })(await json(address, { method: "POST", body: { lesson_id: from } }), "");
}
