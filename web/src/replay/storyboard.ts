/**
 * storyboard.vtt: which piece of the one large storyboard picture belongs to which second. Each cue's text is
 * `storyboard.jpg#xywh=x,y,w,h` (Media Fragments URI 1.0), its times count from the beginning of the recording.
 */

export interface Tile {
  readonly from: number; // ms since the recording began
  readonly to: number;
  readonly file: string;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

const TIMES = /^(?:(\d+):)?(\d\d):(\d\d)\.(\d{3})\s+-->\s+(?:(\d+):)?(\d\d):(\d\d)\.(\d{3})/;
const PIECE = /^(\S+)#xywh=(?:pixel:)?(\d+),(\d+),(\d+),(\d+)$/;

/** Tiles in order of time; cues that name no piece of a picture are left out. */
export function tilesOf(vtt: string): Tile[] {
  const tiles: Tile[] = [];
  let times: RegExpMatchArray | null = null;
  for (const line of vtt.split(/\r\n?|\n/)) {
    const found = line.match(TIMES);
    if (found) {
      times = found;
      continue;
    }
    const piece = times && line.trim().match(PIECE);
    if (!times || !piece) continue;
    const [x = 0, y = 0, width = 0, height = 0] = piece.slice(2).map(Number);
    tiles.push({ from: ms(times.slice(1, 5)), to: ms(times.slice(5, 9)), file: piece[1] ?? "", x, y, width, height });
    times = null;
  }
  return tiles.sort((a, b) => a.from - b.from);
}

const ms = ([hours, minutes, seconds, thousandths]: (string | undefined)[]) =>
  ((Number(hours ?? 0) * 60 + Number(minutes)) * 60 + Number(seconds)) * 1000 + Number(thousandths);

/** The tile of a moment, or the last one before it: a picture that did not change may have no tile of its own. */
export function tileAt(tiles: readonly Tile[], at: number): Tile | null {
  let [low, high] = [0, tiles.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((tiles[middle]?.from ?? 0) <= at) low = middle + 1;
    else high = middle;
  }
  return tiles[low - 1] ?? null;
}
