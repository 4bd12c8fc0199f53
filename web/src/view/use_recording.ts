/** What a replay page fetches of its lesson: the recording as it grows, and what was made of it and noted in it. */

import { onMounted, onScopeDispose, ref, shallowRef } from "vue";
import { useRoute, useRouter } from "vue-router";
import { archiveUrl, getLesson, getRecording, type Lesson, type Recording } from "../protocol/api";
import { readEvents, UNREAD } from "../protocol/event_log";
import { ApiError, fetchFrom } from "../protocol/http";
import { type Notes, notesOf } from "../replay/notes";
import { type Voice, voicesOf } from "../replay/speech";
import { type Tile, tilesOf } from "../replay/storyboard";
import { keyOf } from "../replay/timeline";
import { askWhoAmI, passFor } from "./session";
import { type Problem, problemFrom, problemOf } from "./words";

const GROWING = 4_000; // ms between two looks at a recording that is still being made
const DERIVED = 15; // such looks after the lesson, for what is made of it then

/** `begin` is called once, as soon as there is a recording; `watched`: somebody looks, so that it is worth asking again. */
export function useRecording(id: string, begin: () => void, watched: () => boolean) {
  const route = useRoute();
  const router = useRouter();
  const lesson = shallowRef<Lesson | null>(null);
  const recording = shallowRef<Recording | null>(null);
  const notes = shallowRef<Notes | null>(null);
  let log = UNREAD;
  const tiles = shallowRef<readonly Tile[]>([]);
  const voices = shallowRef<readonly Voice[] | null>(null);
  const problem = ref<Problem | null>(null);
  const failed = ref(false); // a track cannot be played
  const preparing = ref(false);
  const round = ref(0); // counts "try again", to build the players anew
  const token = ref(passFor(id)?.token ?? null); // null: the account's cookie speaks
  const isClass = token.value !== null;

  async function open(): Promise<void> {
    problem.value = null;
    failed.value = false;
    getLesson(id, token.value).then((found) => (lesson.value = found), () => undefined);
    try {
      recording.value = await withPatience(() => getRecording(id, token.value));
      if (round.value === 0) begin();
      await loadNotes();
      await loadDerived();
    } catch (error) {
      if (error instanceof ApiError && (error.status === 401 || error.status === 403) && token.value !== null) {
        token.value = null; // the pass has run out; perhaps someone is signed in
        return open();
      }
      if (error instanceof ApiError && error.status === 401 && !(await askWhoAmI().catch(() => null))) {
        if (!isClass) return void router.replace({ name: "login", query: { next: route.fullPath } });
      }
      problem.value = explained(error, isClass);
    }
  }

  /** A lesson that ended this second may take one more to be ready. */
  async function withPatience(fetchIt: () => Promise<Recording>): Promise<Recording> {
    for (let turn = 0; ; turn += 1) {
      try {
        const found = await fetchIt();
        if (found.tracks.length || turn >= 5) return found;
      } catch (error) {
        const passing = error instanceof ApiError && ((error.status === 404 && error.code !== "lesson_unknown") || error.status >= 500);
        if (!passing || turn >= 3) throw error;
      } finally {
        preparing.value = false;
      }
      preparing.value = true;
      await new Promise((done) => setTimeout(done, 700));
    }
  }

  async function loadNotes(): Promise<void> {
    try {
      const before = log;
      log = await readEvents(id, token.value, before);
      if (log !== before || !notes.value) notes.value = notesOf(log.events);
    } catch {
      return; // the picture plays without them
    }
  }

  /** The storyboard and who spoke when; without them the timeline is plainer, and nothing else. */
  async function loadDerived(): Promise<void> {
    const { storyboard, speech } = recording.value ?? {};
    const fetched = (path: string) => fetchFrom(archiveUrl(id, path));
    if (storyboard && !tiles.value.length) {
      await fetched(storyboard).then(async (answer) => (tiles.value = tilesOf(await answer.text()))).catch(() => undefined);
    }
    if (speech && !voices.value) {
      await fetched(speech).then(async (answer) => (voices.value = voicesOf(await answer.json()))).catch(() => undefined);
    }
  }

  let looks = 0;
  const growing = setInterval(async () => {
    const now = recording.value;
    if (!now || !watched()) return;
    if (now.status !== "recording" && ((now.storyboard && now.speech) || ++looks > DERIVED)) return;
    await refresh();
    if (now.status === "recording") await loadNotes();
    await loadDerived();
  }, GROWING);

  async function refresh(): Promise<void> {
    await getRecording(id, token.value).then((found) => (recording.value = found), () => undefined);
  }

  /** A track cannot be played. It may have become another file meanwhile; then the page has it by asking again. */
  async function lost(): Promise<void> {
    const files = () => recording.value?.tracks.map(keyOf).join();
    const before = files();
    await refresh();
    if (files() === before) failed.value = true;
  }

  function tryAgain(): void {
    round.value += 1;
    void open();
  }

  onMounted(open);
  onScopeDispose(() => clearInterval(growing));
  return { lesson, recording, notes, tiles, voices, problem, failed, preparing, round, token, isClass, lost, tryAgain };
}

/** Of a lesson that is over nobody needs a class code: who looks for its recording is told so. */
function explained(error: unknown, isClass: boolean): Problem {
  if (!(error instanceof ApiError) || error.status !== 404) return problemFrom(error);
  if (error.code !== "lesson_unknown") return problemOf("recording_unknown");
  return { ...problemFrom(error), key: isClass ? "replay.unknownClass" : "replay.unknown" };
}
