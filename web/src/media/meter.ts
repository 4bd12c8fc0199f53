/** How loud a microphone is, ten times a second, as a share of what a bar can show; nothing while the browser does not tell. */

const EVERY = 100; // ms
const FLOOR = -60; // dB, a quiet room
const FALL = 0.8;
const CEILING = -12; // dB, a teacher's voice close to the microphone

export function meter(track: MediaStreamTrack, show: (level: number) => void): () => void {
  const context = new AudioContext();
  const analyser = context.createAnalyser();
  analyser.fftSize = 4096; // 85 ms: between two looks nothing is missed
  context.createMediaStreamSource(new MediaStream([track])).connect(analyser);
  const samples = new Float32Array(analyser.fftSize);
  let shown = 0;
  const timer = setInterval(() => {
    if (context.state === "suspended") void context.resume();
    if (context.state !== "running") return; // all zeros, whatever is said: without a device for sound Firefox never runs it
    analyser.getFloatTimeDomainData(samples);
    shown = Math.max(levelOf(samples), shown * FALL); // rises at once and falls slowly, as meters do
    show(shown);
  }, EVERY);
  return () => {
    clearInterval(timer);
    void context.close();
  };
}

/** Root mean square in dB, from the floor (0) to the ceiling (1). */
export function levelOf(samples: ArrayLike<number>): number {
  let sum = 0;
  for (let index = 0; index < samples.length; index += 1) sum += (samples[index] ?? 0) ** 2;
  const decibel = 10 * Math.log10(sum / Math.max(1, samples.length) + 1e-12);
  return Math.min(1, Math.max(0, (decibel - FLOOR) / (CEILING - FLOOR)));
}
