/** A replay that runs: one clock, what the person wants of it, and which tracks keep it waiting. */

import { computed, onScopeDispose, reactive, ref, type Ref, shallowRef, watch } from "vue";
import { playable } from "../media/playable";
import type { Recording, Track } from "../protocol/api";
import { follow, moveTo, run, setRate, stopped, timeOf } from "../replay/clock";
import { clamp, keyOf, leading, present, spanOf } from "../replay/timeline";

const LOOK = 100; // ms between two looks at the clock
const PATIENCE = 5_000; // ms that a picture may hold the sound up
const LATE = 1_000; // ms after a jump; a picture that is called for later holds nothing up

interface Starved {
  since: number;
  late: boolean;
}

export function useReplay(recording: Ref<Recording | null>) {
  const clock = shallowRef(stopped(0));
  const playing = ref(false); // what the person wants; the clock may hold
  const at = ref(0); // lesson ms, for drawing
  const tick = ref(0); // changes with every look
  const starved = reactive(new Map<string, Starved>()); // by track
  let jumped = -Infinity; // when

  const tracks = computed<readonly Track[]>(() => recording.value?.tracks.filter((one) => playable(one.codec)) ?? []);
  const span = computed(() => (recording.value ? spanOf(recording.value) : { from: 0, to: 0 }));
  const leader = computed(() => leading(tracks.value, at.value));
  const silent = computed(() => !tracks.value.some((one) => present(one, at.value)));
  const waitingFor = computed(() => {
    void tick.value;
    const now = performance.now();
    const leads = leader.value && keyOf(leader.value);
    const times = [...starved].filter(([key, one]) => key === leads || (!one.late && now - one.since < PATIENCE));
    return times.length ? now - Math.min(...times.map(([, one]) => one.since)) : null; // ms so far
  });

  const lessonTime = () => timeOf(clock.value, performance.now());

  function look(): void {
    const now = performance.now();
    const growing = recording.value?.status === "recording" && clock.value.at >= span.value.to;
    const running = playing.value && waitingFor.value === null && !growing;
    if (running !== clock.value.running) clock.value = run(clock.value, running, now);
    let time = timeOf(clock.value, now);
    if (time >= span.value.to && recording.value) {
      time = span.value.to;
      if (recording.value.status !== "recording") playing.value = false; // else it waits for what comes
      clock.value = run(moveTo(clock.value, time, now), false, now);
    }
    at.value = time;
    tick.value += 1;
  }
  const looking = setInterval(look, LOOK);
  onScopeDispose(() => clearInterval(looking));

  /** The leading track says where it is. */
  function leads(time: number): void {
    clock.value = follow(clock.value, time, performance.now());
  }

  /** A track has nothing to play; `fresh`: it never had since it was put on the page. */
  function waits(track: Track, waiting: boolean, fresh: boolean): void {
    const key = keyOf(track);
    const now = performance.now();
    if (!waiting) starved.delete(key);
    else if (!starved.has(key)) starved.set(key, { since: now, late: fresh && clock.value.running && now - jumped > LATE });
  }

  function seek(time: number): void {
    jumped = performance.now();
    for (const one of starved.values()) one.since = jumped;
    clock.value = moveTo(clock.value, clamp(time, span.value), jumped);
    look();
  }

  function toggle(): void {
    if (!playing.value) jumped = performance.now();
    if (!playing.value && at.value >= span.value.to - 200) seek(span.value.from);
    playing.value = !playing.value;
    look();
  }

  const speed = computed({
    get: () => clock.value.rate,
    set: (rate: number) => (clock.value = setRate(clock.value, rate, performance.now())),
  });

  watch(tracks, (now) => {
    const known = new Set(now.map(keyOf));
    for (const key of starved.keys()) if (!known.has(key)) starved.delete(key);
  });

  return { clock, playing, at, tick, tracks, span, leader, silent, waitingFor, speed, starved, lessonTime, look, leads, waits, seek, toggle };
}

export type Replay = ReturnType<typeof useReplay>;
