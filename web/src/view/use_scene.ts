/** What the classes see, as tiles that can be drawn: our own pictures and those received, each in its place. */

import { computed, type ComputedRef, type ShallowRef, watch } from "vue";
import { useI18n } from "../i18n";
import type { Presence, PresenceState } from "../presence/presence";
import type { Participant, Stroke } from "../protocol/messages";
import { arrange, type Arrangement, compose, isPage, type Picture, type Seen } from "../room/pictures";
import { participant } from "../room/reducer";
import { aspectOf, pageBeside, pagesAt, pictureOf, slideOf, strokesOn, surfaceShown } from "../room/surfaces";
import "./page_words";

export interface Tile extends Seen {
  key: string;
  track: MediaStreamTrack | null;
  label: string;
  testid: string;
  mid?: string; // of what is received
  paused?: boolean;
  speaking?: boolean;
  page?: Page;
}

/** A slide or a page of the board. */
export interface Page {
  surface: string;
  image: string | null; // null: a page of the board
  preview: string | null;
  aspect: number;
  strokes: readonly Stroke[];
}

export type Scene = Arrangement<Tile>;

export function useScene(lessonId: string, presence: Presence, state: Readonly<ShallowRef<PresenceState>>): ComputedRef<Scene> {
  const { t } = useI18n();

  function page(picture: Picture): Tile {
    const { surfaces } = state.value.room;
    const surface = picture.publication_id;
    const at = { ...pagesAt(surfaces, surface) };
    const slide = slideOf(surfaces, surface);
    return {
      ...{ who: picture.who, source: picture.source, key: surface, track: null },
      label: slide ? t("page.slide", { title: slide.set.title, ...at }) : t("page.board", at),
      testid: "surface",
      page: {
        surface,
        image: pictureOf(lessonId, surfaces, surface),
        preview: pictureOf(lessonId, surfaces, surface, true),
        aspect: aspectOf(surfaces, surface),
        strokes: strokesOn(surfaces, surface),
      },
    };
  }

  // The next page is here before it is turned to.
  const ahead = computed(() => {
    const { shown, surfaces } = state.value.room;
    return pictureOf(lessonId, surfaces, pageBeside(surfaces, surfaceShown(shown, surfaces), 1));
  });
  watch(ahead, (address) => address && (new Image().src = address), { immediate: true });

  function received(picture: Picture): Tile {
    if (isPage(picture)) return page(picture);
    const { who, source, mid, paused, speaking } = picture;
    const name = who.name || t(`role.${who.role}`);
    return {
      ...{ who, source, mid, paused, speaking },
      key: picture.publication_id,
      track: presence.track(mid),
      label: source === "screen" ? t("live.screenOf", { name }) : name,
      testid: source === "screen" ? "screen-video" : "main-video",
    };
  }

  return computed(() => {
    const { room, me, own, slots, qualities, speaking } = state.value;
    const who = participant(room, me) ?? ({ participant_id: me ?? "", role: "lead_teacher" } as Participant);
    const tiles: Tile[] = [];
    const { screen, camera, document_camera } = own.tracks;
    const hidden = who.role === "co_teacher" && room.startedMs !== null && !own.live; // who helps sends nothing
    if (!hidden && screen) tiles.push({ key: "own-screen", track: screen, label: t("studio.screen"), testid: "own-screen", source: "screen", who });
    if (!hidden && document_camera) tiles.push({ key: "own-document", track: document_camera, label: t("scene.sources.document_camera"), testid: "own-document", source: "document_camera", who });
    if (!hidden && camera) tiles.push({ key: "own-camera", track: camera, label: t("studio.camera"), testid: "own-camera", source: "camera", who });
    const { large, beside, small } = arrange(slots, room, qualities, speaking);
    for (const picture of [large, beside, ...small]) if (picture) tiles.push(received(picture));
    return compose(tiles, room.shown, room.onStage);
  });
}
